"""Lines of hostile text files: bounded in length, decoded strictly, broken ones reported in place."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from assay.core.errors import SubjectError

CHUNK = 1 << 20
MAX_LINE = 16 << 20
MAX_RATIO = 250
MIN_BOUND = 1 << 30
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, or why there is none.

    Attributes:
        number: 1-based.
        text: the decoded line; "" when `problem` says why it could not be read.
        problem: one phrase, or "".
        fatal: nothing after this line could be read.
    """

    number: int
    text: str
    problem: str = ""
    fatal: bool = False


def read_chunks(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """The bytes of `path`, decompressed when its name ends in `.gz`.

    Raises:
        SubjectError: it cannot be read, its compression is broken, or it unpacks beyond all reason.
    """
    compressed = path.suffix.lower() == ".gz"
    try:
        with path.open("rb") as raw:
            bound = max(MIN_BOUND, path.stat().st_size * MAX_RATIO)
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if compressed else raw)
            total = 0
            while chunk := stream.read(size):
                total += len(chunk)
                if compressed and total > bound:
                    raise SubjectError(f"unpacks to more than {bound:,} bytes", subject=str(path))
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SubjectError(f"broken gzip stream: {error}", subject=str(path)) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SubjectError(f"cannot be read: {reason}", subject=str(path)) from error


def read_utf8(path: Path, encoding: str = "auto") -> Iterator[bytes]:
    """The bytes of a text file as UTF-8: UTF-16 and UTF-32 are recognised by their byte order mark.

    Bytes that are not valid stay invalid (a lone 0xFF), so that the line they stand in is told.

    Raises:
        SubjectError: see `read_chunks`; or the encoding's name is unknown.
    """
    chunks = read_chunks(path)
    first = next(chunks, b"")
    mark, found = next(((mark, name) for mark, name in _BOMS if first.startswith(mark)), (b"", "utf-8"))
    name = found if encoding == "auto" else encoding
    first = first[len(mark) :]
    if name.lower() in {"utf-8", "utf8"}:
        yield first
        yield from chunks
        return
    try:
        decoder = codecs.getincrementaldecoder(name)(errors="replace")
    except LookupError as error:
        raise SubjectError(
            f"unknown encoding {name!r}", subject=str(path), remedy="Use a name such as latin-1 or cp1252."
        ) from error
    yield _transcode(decoder, first)
    for chunk in chunks:
        yield _transcode(decoder, chunk)
    yield _transcode(decoder, b"", final=True)


def _transcode(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bytes:
    return decoder.decode(chunk, final).encode("utf-8", "replace").replace(b"\xef\xbf\xbd", b"\xff")


def read_lines(path: Path, encoding: str = "auto", limit: int = MAX_LINE) -> Iterator[Line]:
    r"""The lines of a text file; `\n` and `\r\n` end a line.

    A line that is too long or not valid text is yielded as a problem and reading goes on. A file that
    breaks off (compression, I/O) ends in a problem that is `fatal`. Memory stays below `limit` and a chunk.
    """
    number = 0
    try:
        for raw, too_long in _split(read_utf8(path, encoding), limit):
            number += 1
            yield _decode(number, raw, limit, too_long=too_long)
    except SubjectError as error:
        yield Line(number + 1, "", error.cause, fatal=True)


def _decode(number: int, raw: bytes, limit: int, *, too_long: bool) -> Line:
    if too_long:
        return Line(number, "", f"longer than {limit:,} bytes")
    try:
        return Line(number, raw.removesuffix(b"\r").decode("utf-8"))
    except UnicodeDecodeError as error:
        return Line(number, "", f"not valid UTF-8 at byte {error.start} of the line")


def _split(chunks: Iterator[bytes], limit: int) -> Iterator[tuple[bytes, bool]]:
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts = chunk.split(b"\n")
        for part in parts[:-1]:
            size += len(part)
            yield (b"", True) if size > limit else (b"".join([*held, part]), False)
            held, size = [], 0
        size += len(parts[-1])
        if size <= limit:
            held.append(parts[-1])
        else:
            held = []
    if size:
        yield (b"", True) if size > limit else (b"".join(held), False)
