"""Rows of every file format as plain dictionaries, broken ones reported in place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.subjects.dataset.lines import MAX_LINE, Line, read_lines

_NAMES = frozenset({
    "text", "sentence", "sentences", "content", "document", "review", "comment", "message", "messages",
    "tweet", "prompt", "question", "instruction", "input", "output", "response", "answer", "completion",
    "chosen", "rejected", "label", "labels", "class", "target", "category", "source", "id", "title",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as its file has it, or why it could not be read.

    Attributes:
        line: 1-based line where it begins, where the format has lines.
        fields: column to value; None when `problem` says why.
        problem: one phrase, or "".
        count: how many rows the problem stands for, as far as that can be known.
        fatal: nothing after it in this file could be read.
    """

    line: int | None
    fields: dict[str, Any] | None
    problem: str = ""
    count: int = 1
    fatal: bool = False


def read_jsonl(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """JSON Lines: one object a line; blank lines are not rows."""
    for line in read_lines(path, encoding):
        if line.problem:
            yield _broken(line)
        elif line.text and not line.text.isspace():
            yield _json_row(line)


def _json_row(line: Line) -> RawRow:
    try:
        value = json.loads(line.text)
    except json.JSONDecodeError as error:
        return RawRow(line.number, None, f"broken JSON: {error.msg} at character {error.pos}")
    except (RecursionError, ValueError) as error:
        return RawRow(line.number, None, f"unreadable JSON: {type(error).__name__}")
    return as_row(value, line.number)


def as_row(value: object, line: int | None) -> RawRow:
    """A JSON value as a row: an object, a bare string, or the messages of a chat."""
    if isinstance(value, dict):
        return RawRow(line, value)
    if isinstance(value, str):
        return RawRow(line, {"text": value})
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return RawRow(line, {"messages": value})
    return RawRow(line, None, f"a JSON {type(value).__name__} is not a row")


def read_text(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """Plain text: one document a line; blank lines are not rows."""
    for line in read_lines(path, encoding):
        if line.problem:
            yield _broken(line)
        elif line.text and not line.text.isspace():
            yield RawRow(line.number, {"text": line.text})


def read_csv(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """Comma-separated values, RFC 4180."""
    return _delimited(path, encoding, {"delimiter": ",", "strict": True})


def read_tsv(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """Tab-separated values: without quoting (IANA), or with it when only that gives even rows."""
    style = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    if not _even(path, encoding, style):
        quoted = {"delimiter": "\t", "strict": True}
        style = quoted if _even(path, encoding, quoted) else style
    return _delimited(path, encoding, style)


def _even(path: Path, encoding: str, style: dict[str, Any], sample: int = 200) -> bool:
    rows = _delimited(path, encoding, style)
    return not any(row.problem for _, row in zip(range(sample), rows, strict=False))


class _Feed:
    """Hands good lines to the csv reader and keeps the broken ones for the caller."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.broken: list[Line] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.number = line.number
            if line.problem:
                self.broken.append(line)
            else:
                yield line.text + "\n"


def _delimited(path: Path, encoding: str, style: dict[str, Any]) -> Iterator[RawRow]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    feed = _Feed(read_lines(path, encoding))
    reader = csv.reader(feed, **style)
    header: list[str] | None = None
    while True:
        begins = feed.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield RawRow(begins, None, f"broken quoting: {error}", max(1, feed.number - begins + 1))
            cells = []
        yield from map(_broken, feed.broken)
        feed.broken.clear()
        if cells is None:
            return
        if cells and header is None:
            header, is_data = _header(cells)
            cells = cells if is_data else []
        if cells and header is not None:
            yield _delimited_row(cells, header, begins)


def _header(cells: list[str]) -> tuple[list[str], bool]:
    names = [cell.strip() for cell in cells]
    known = any(name.lower() in _NAMES for name in names)
    plain = len(names) > 1 and all(name.isidentifier() for name in names) and len(set(names)) == len(names)
    if known or plain:
        return names, False
    return [f"column{at}" for at in range(len(cells))], True


def _delimited_row(cells: list[str], header: list[str], line: int) -> RawRow:
    if len(cells) != len(header):
        return RawRow(line, None, f"{len(cells)} fields where the header has {len(header)}")
    return RawRow(line, dict(zip(header, cells, strict=True)))


def _broken(line: Line) -> RawRow:
    return RawRow(line.number, None, line.problem, fatal=line.fatal)


Reader = Callable[[Path, str], Iterator[RawRow]]
