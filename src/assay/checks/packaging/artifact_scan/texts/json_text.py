"""JSON as a document, also where it has comments and commas at the end, as editors and compilers read it."""

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
    except ValueError:
        if not name.lower().endswith(_COMMENTED) or len(text) > MAX_COMMENTED:
            raise
    try:
        return json.loads(_PART.sub(lambda part: part[0] if part[0][0] == '"' else " ", text))
    except RecursionError as error:
        raise TooDeepError(name) from error
