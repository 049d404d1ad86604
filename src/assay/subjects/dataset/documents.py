"""JSON documents: an array of rows read element by element, or an object that holds the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.core.errors import SubjectError
from assay.subjects.dataset.lines import MAX_LINE, read_utf8
from assay.subjects.dataset.rows import RawRow, as_row, read_jsonl

MAX_OBJECT = 64 << 20
_SPACE = " \t\r\n"


def read_json(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """A `.json` file: an array of rows, an object around one, or JSON Lines under the wrong name."""
    try:
        first = next(filter(None, (chunk.lstrip() for chunk in read_utf8(path, encoding))), b"")
        if first.startswith(b"["):
            yield from _array(path, encoding)
        elif _is_lines(first):
            yield from read_jsonl(path, encoding)
        else:
            yield from _object(path, encoding)
    except SubjectError as error:
        yield RawRow(None, None, error.cause, fatal=True)
    except UnicodeDecodeError as error:
        yield RawRow(None, None, f"not valid UTF-8 near byte {error.start}", fatal=True)


def _is_lines(first: bytes) -> bool:
    line, newline, _ = first.partition(b"\n")
    try:
        return bool(newline) and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _texts(path: Path, encoding: str) -> Iterator[str]:
    import codecs  # noqa: PLC0415  only here

    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    for chunk in read_utf8(path, encoding):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _array(path: Path, encoding: str) -> Iterator[RawRow]:
    """Read element by element; a broken element ends the file, since nothing tells where the next begins."""
    texts = _texts(path, encoding)
    decoder = json.JSONDecoder()
    buffer = next(texts, "").lstrip()[1:]
    while True:
        buffer = buffer.lstrip(_SPACE + ",")
        at = 0
        while True:
            try:
                value, end = decoder.raw_decode(buffer, at)
            except (ValueError, RecursionError):
                break
            yield as_row(value, None)
            at = end
            while at < len(buffer) and buffer[at] in _SPACE + ",":
                at += 1
        buffer = buffer[at:]
        if buffer.startswith("]"):
            return
        more = next(texts, None)
        if more is None or len(buffer) > MAX_LINE:
            reason = (
                "the array is broken or cut off here" if more is None else "an element is too long or broken"
            )
            yield RawRow(None, None, reason, fatal=True)
            return
        buffer += more


def _object(path: Path, encoding: str) -> Iterator[RawRow]:
    held: list[str] = []
    size = 0
    for text in _texts(path, encoding):
        held.append(text)
        size += len(text)
        if size > MAX_OBJECT:
            yield RawRow(None, None, f"one JSON object of more than {MAX_OBJECT:,} characters", fatal=True)
            return
    if not "".join(held).strip():
        return
    try:
        value = json.loads("".join(held))
    except (ValueError, RecursionError) as error:
        yield RawRow(None, None, f"broken JSON: {type(error).__name__}", fatal=True)
        return
    yield from _rows_of(value)


def _rows_of(value: Any) -> Iterator[RawRow]:
    lists = [part for part in value.values() if isinstance(part, list)] if isinstance(value, dict) else []
    tables = [part for part in lists if part and all(isinstance(row, dict) for row in part)]
    if not tables or "messages" in value or "conversations" in value:
        yield as_row(value, None)
        return
    for table in tables:
        for row in table:
            yield as_row(row, None)
