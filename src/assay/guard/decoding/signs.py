"""Cheap first looks: whether a text has what a decoder needs, in one linear pass of RE2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

SIGNS = {
    "base64": r"[A-Za-z0-9+/_-]{12}",
    "base32": r"[A-Z2-7]{16}|[a-z2-7]{24}",
    "hex": r"(?:(?:0x|\\x|%)?[0-9A-Fa-f]{2}[\s,:;-]{0,2}){7}",
    "base85": r"[!-~]{15}|<~",
    "binary": r"(?:[01]{7,8}[\s,;|-]{0,2}){4}",
    "codes": r"(?:\d{2,3}[\s,;|-]{1,2}){5}",
    "calls": r"(?i)(?:chr|char|code)\(\s*\d",
    "morse": r"(?:[.\-_\x{b7}\x{2022}\x{2013}\x{2014}\x{2212}]{1,6}[ \t/|\n]{1,5}){5}",
    "leet": r"[A-Za-z][0-9@$!|+]+[A-Za-z]|(?:^|\s)[0-9@$!|+]+[A-Za-z]{2}",
    "apart": r"(?:\pL(?:[ \t.\-_*·|/,~^]|\r?\n){1,5}){4}\pL",
    "cut": r"\pL[.\-_*·|/~^=]{1,2}\pL|[\"']\s?\+\s?[\"']",
    "joined": r"[A-Za-z0-9'][_.+|/~^-][A-Za-z0-9']+[_.+|/~^-][A-Za-z0-9']",
    "squeezed": r"[A-Za-z]{14}",
    "pig": r"[A-Za-z]ay\b.*?[A-Za-z]ay\b.*?[A-Za-z]ay\b",
    "escape": r"\\[uUxnrt\"'/0-3]|[Uu]\+[0-9A-Fa-f]{4}|%u[0-9A-Fa-f]{4}",
    "tag": r"<[A-Za-z/!?>]",
    "emphasis": r"[*`~]\w|\w[*`~]|(?:^|\s)_\w",
}


@lru_cache(maxsize=len(SIGNS))
def _compiled(sign: str) -> Any:
    import re2  # noqa: PLC0415  compiled, and only matching pays for it

    options = re2.Options()
    options.never_capture = True
    options.dot_nl = True
    return re2.compile(SIGNS[sign], options)


def shows(sign: str, text: str) -> bool:
    """Whether a text shows the sign of a decoder; it must not hold half a surrogate pair."""
    return _compiled(sign).search(text) is not None
