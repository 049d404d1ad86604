"""JSON as a document, also with comments and commas at the end, or one document a line, as tools read it."""

from __future__ import annotations

import json
import re
from typing import Any

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[\]}])', re.DOTALL)
_COMMENTED = (".json", ".jsonc", ".json5", ".code-workspace")
MAX_COMMENTED = 4 << 20  # characters


class TooDeepError(ValueError):
    """The document is nested deeper than is read."""


def parse(name: str, text: str) -> Any:
    """What the text says.

    Raises:
        TooDeepError: it starts as JSON does and is nested too deep.
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise TooDeepError(name) from error
    except ValueError as error:
        lines = _lines(text) if name.lower().endswith(_COMMENTED) else None
        if lines is not None:
            return lines
        if not name.lower().endswith(_COMMENTED) or len(text) > MAX_COMMENTED:
            raise ValueError("it is no JSON") from error
    try:
        return json.loads(_PART.sub(lambda part: part[0] if part[0][0] == '"' else " ", text))
    except RecursionError as error:
        raise TooDeepError(name) from error


def _lines(text: str) -> list[Any] | None:
    """The documents of a text that has one in each line; None where a line is none."""
    try:
        return [json.loads(line) for line in text.split("\n") if line.strip()] or None
    except (ValueError, RecursionError):
        return None
