"""Python source to a syntax tree, within bounds: hostile source is large, or deep, or disguised."""

from __future__ import annotations

import ast
import binascii
import codecs
import re
import threading
import warnings
import zlib

from assay.core.errors import LimitError, SubjectError

MAX_SOURCE = 1 << 20  # characters; the tree of a dense source takes a hundred times as much memory
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
# All of ASCII, and what escapes of some encodings start with.
_ASCII = bytes(range(128)) + rb"\u000a\x0a.xn--caf-dma.+AAo-"
# The compiler warns about the source through a setting of the whole process.
_quiet = threading.Lock()


def cookie(source: bytes) -> str:
    """The encoding that a source declares in its first two lines, by Python's name for it, or ""."""
    for line in source[:1_000].splitlines()[:2]:
        found = _COOKIE.match(line)
        if found:
            return _codec(found[1].decode("ascii", "replace"))
        if not _BLANK.match(line):
            break
    return ""


def is_plain(encoding: str) -> bool:
    """Whether a source in this encoding reads as it looks: ASCII is itself, and no comment becomes code."""
    if encoding in {"", "utf-8"}:
        return True
    try:
        # The codecs of 8-bit and East Asian texts; those that escape or transform change or refuse this.
        return codecs.decode(_ASCII, encoding) == _ASCII.decode("ascii")
    except (LookupError, ValueError, TypeError, Warning, binascii.Error, zlib.error, OSError, EOFError):
        return False


def _codec(name: str) -> str:
    if name.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig"} or name.lower().startswith("utf-8-"):
        return "utf-8"
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return name.lower()


def parse(text: str) -> ast.Module:
    """The syntax tree of a source; nothing is compiled or run.

    CPython's parser bounds its own depth: brackets at 200, rules at 6,000, the tree by the recursion limit.

    Raises:
        LimitError: it is too large or too deep to be parsed safely.
        SubjectError: this Python does not take it for Python.
    """
    if len(text) > MAX_SOURCE:
        raise LimitError(f"more than {MAX_SOURCE:,} characters of Python")
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (RecursionError, MemoryError) as error:
        raise LimitError("nested too deep to be parsed") from error
    except (SyntaxError, ValueError) as error:
        raise SubjectError(f"this Python cannot parse it: {error}"[:200]) from error
