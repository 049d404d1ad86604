"""Commands of scripts, line by line, by `commands.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.core.finding import Severity

_COMMANDS = Path(__file__).parents[1] / "commands.yaml"

MAX_LINE = 1 << 20  # characters of a logical line, and of the lines joined into it
_CONTINUED = re.compile(r"\\\r?\Z")
_CONTINUED_ON_WINDOWS = re.compile(r"[\\`^]\r?\Z")
_COMMENT = re.compile(r"^\s*(?:#(?!!)|::|rem\s|//)", re.IGNORECASE)
_LUA_COMMENT = re.compile(r"^\s*--(?!\[=*\[)")
# What shells drop inside a word: `cu''rl`, `c\url`, "iE`x".
_SPLITTERS = re.compile(r"''|\"\"|[\\`](?=[A-Za-z])|\$@|\^(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a script should not hold: what it does, by which rule, how bad, and where."""

    what: str
    rule: str
    severity: Severity
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class _Row:
    what: str
    rule: str
    severity: Severity
    languages: frozenset[str]
    patterns: tuple[Any, ...]


@lru_cache(maxsize=1)
def _rows() -> tuple[_Row, ...]:
    import re2  # noqa: PLC0415  compiled, and only scripts pay for it

    return tuple(
        _Row(
            row["what"],
            row["rule"],
            Severity(row["severity"]),
            frozenset(row["languages"]),
            tuple(re2.compile(f"(?i){pattern}") for pattern in row["patterns"]),
        )
        for row in read_data(_COMMANDS)
    )


def find(text: str, language: str) -> Iterator[Command]:
    """Every line's commands that do what none should; one a line and row."""
    rows = [row for row in _rows() if language in row.languages]
    comment = _LUA_COMMENT if language == "lua" else _COMMENT
    going_on = _CONTINUED_ON_WINDOWS if language == "windows" else _CONTINUED
    for number, line in _logical(text, comment, going_on):
        views = {line, _SPLITTERS.sub("", line)}
        for row in rows:
            found = next((m for view in views for p in row.patterns if (m := p.search(view))), None)
            if found is not None:
                yield Command(row.what, row.rule, row.severity, number, found.group().strip())


def _logical(text: str, comment: re.Pattern[str], going_on: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, comments left out, numbered by the first."""
    pending: list[str] = []
    first, size = 1, 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending:
            first, size = number, 0
        continued = going_on.search(line) is not None and size < MAX_LINE
        if pending or not comment.match(line):
            pending.append(going_on.sub(" ", line).rstrip("\r") if continued else line.rstrip("\r"))
            size += len(line)
        if pending and not continued:
            yield first, "".join(pending)
            pending = []
    if pending:
        yield first, "".join(pending)
