"""From bytes to characters: UTF-8, and UTF-16 and UTF-32 where a mark or XML's first letter says so."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob

# In this order: the mark of UTF-16 begins that of UTF-32.
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32", 4), (b"\0\0\xfe\xff", "utf-32", 4),
    (b"\xff\xfe", "utf-16", 2), (b"\xfe\xff", "utf-16", 2),
    (b"<\0?\0", "utf-16-le", 2), (b"\0<\0?", "utf-16-be", 2),
)  # fmt: skip
_WINDOW = 4096
# What no text is made of: control characters but white space, backspace, escape and DOS's end of file.
_CONTROLS = bytes([*range(1, 8), *range(14, 26), *range(28, 32), 127])
MAX_CONTROLS = 1 / 64  # of the bytes of a file whose name says that it is a text


def decode(blob: Blob, most: int, *, prose: bool) -> str | None:
    """The characters of the first `most` bytes; None where they are no text.

    `prose`: the name says that it is one, so that a few control characters do not matter.
    """
    head = blob.head(_WINDOW)
    for mark, name, width in _MARKS:
        if head.startswith(mark):
            return _wide(blob, most, name, width)
    if b"\0" in head:
        return None
    raw = blob.head(most)
    if b"\0" in raw or not _is_readable(raw, prose=prose):
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = blob.size > most and len(raw) - error.start < 4  # noqa: PLR2004  the bytes of one character
        return raw[: error.start].decode("utf-8-sig") if cut else None


def _is_readable(raw: bytes, *, prose: bool) -> bool:
    """Whether there are no more control characters than a text has."""
    controls = len(raw) - len(raw.translate(None, _CONTROLS))
    return controls <= len(raw) * MAX_CONTROLS if prose else not controls


def _wide(blob: Blob, most: int, name: str, width: int) -> str | None:
    raw = blob.head(most // 4 * 4 if blob.size > most else most)
    try:
        text = raw.decode(name)
    except UnicodeDecodeError as error:
        if not (blob.size > most and len(raw) - error.start <= width):
            return None
        text = raw[: error.start].decode(name)
    return None if "\0" in text[:_WINDOW] else text
