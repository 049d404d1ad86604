"""The text that a command line names: a word, a file, or standard input."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from assay.core.errors import SubjectError, UsageError

STDIN = "-"
# One word with a separator, or an ending: a path that was mistyped must not be judged as a text, and pass.
_PATH_LIKE = re.compile(r"\S*(?:[/\\]|\.[A-Za-z0-9]{1,8}$)\S*")
_CONTINUED = 3  # bytes of a character that a cut may leave out


def told(word: str) -> tuple[str | None, str | None]:
    """Whether a word is a text, or names a file: one of (text, file).

    Raises:
        UsageError: it looks like a path, and there is no such file.
    """
    if word == STDIN or _exists(word):
        return None, word
    if _PATH_LIKE.fullmatch(word):
        raise UsageError(
            f"there is no file {word[:200]!r}",
            remedy="Correct the path; if it is the text itself, say --text.",
        )
    return word, None


def read(file: str, most: int) -> str:
    """The text of a file, cut to `most` bytes.

    Raises:
        SubjectError: it is a folder, or no text in UTF-8.
        OSError: it cannot be read.
    """
    with opened(file) as stream:
        raw = stream.read(most)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(raw) == most and error.start >= most - _CONTINUED:
            return raw[: error.start].decode("utf-8-sig")
        raise SubjectError(
            f"is no text in UTF-8: see byte {error.start:,}",
            subject=name_of(file),
            remedy="Convert it: `iconv -f ENCODING -t UTF-8 FILE`.",
        ) from error


def opened(file: str) -> BufferedReader:
    """A file, or standard input, as bytes.

    Raises:
        SubjectError: it is a folder.
        OSError: it cannot be opened.
    """
    if file == STDIN:
        return open(0, "rb", closefd=False)
    path = Path(file)
    if path.is_dir():
        raise SubjectError("is a folder", subject=file, remedy="Name a file; for many texts, --jsonl.")
    return path.open("rb")


def reader(stream: BufferedReader, file: str) -> Callable[[int], bytes]:
    """Reads from a stream what is there, at most so many bytes.

    Raises:
        SubjectError: when called: it cannot be read.
    """

    def part(most: int) -> bytes:
        try:
            return stream.read1(most)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SubjectError(f"cannot be read: {reason}", subject=name_of(file)) from error

    return part


def name_of(file: str) -> str:
    """What messages call it."""
    return "standard input" if file == STDIN else file


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False
