"""Python source to a syntax tree, within bounds: hostile source is large, or deep, or disguised."""

from __future__ import annotations

import ast
import codecs
import re
import threading
import warnings

from assay.core.errors import LimitError, SubjectError

MAX_SOURCE = 1 << 20  # characters; the tree of a dense source takes a hundred times as much memory
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
# Encodings in which a source reads as it looks; any other may turn comments into code.
PLAIN = frozenset({
    "utf-8", "ascii", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252", "koi8-r",
    "euc_jp", "shift_jis", "gbk", "gb2312", "gb18030", "big5", "euc_kr", "cp949", "mac-roman",
})  # fmt: skip
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
