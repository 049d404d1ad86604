"""Cheap first looks: whether a text has what a decoder needs."""

from __future__ import annotations

from functools import lru_cache

from assay.guard.signs import Signs

# Together what counts the same runs.
SIGNS = (
    {
        "base64": r"[A-Za-z0-9+/_-]{12}",
        "base32": r"[A-Z2-7]{16}|[a-z2-7]{24}",
        "base85": r"[!-~]{15}|<~",
        "squeezed": r"[A-Za-z]{14}",
    },
    {
        "hex": r"(?:(?:0x)?[0-9A-Fa-f]{2}[\s,:;-]{0,2}){7}",
        "binary": r"(?:[01]{7,8}[\s,;|-]{0,2}){4}",
        "codes": r"(?:\d{2,3}[\s,;|-]{1,2}){5}",
        "morse": r"(?:[.\-_\x{b7}\x{2022}\x{2013}\x{2014}\x{2212}]{1,6}[ \t/|\n]{1,5}){5}",
    },
    {
        "apart": r"(?:\pL(?:[ \t.\-_*·|/,~^]|\r?\n){1,5}){4}\pL",
        "joined": r"[A-Za-z0-9'][_.+|/~^-][A-Za-z0-9']+[_.+|/~^-][A-Za-z0-9']",
        "hyphen": r"[\pL\p{Nl}\p{No}]-[ \t]*\r?\n",
        "lines": r"(?m)(?:^[ \t]*\S{1,20}(?:[ \t]\S{1,20})?[ \t]*\r?\n){3}",
        "numbered": r"(?m)(?:^[ \t]*[(|]?[ \t]*\d{1,3}[ \t]?[.:)|].{1,125}\n){2}",
        "assigned": r"(?:[:=][ \t]?[\"'][^\n]{1,120}[\"'][;,]?\r?\n[^\n]{0,40}){2}[:=][ \t]?[\"']",
        "pig": r"[A-Za-z]ay\b.*?[A-Za-z]ay\b.*?[A-Za-z]ay\b",
    },
    {
        "calls": r"(?i)(?:chr|char|code)\(\s*\d",
        "leet": r"[A-Za-z][0-9@$!|+€£¢]+[A-Za-z]|(?:^|\s)[0-9@$!|+€£¢]+[A-Za-z]{2}",
        "cut": r"\pL[.\-_*·|/~^=]{1,2}\pL|[\"']\s?\+\s?[\"']",
        "escape": r"\\[uUxnrt\"'/0-3]|[Uu]\+[0-9A-Fa-f]{4}|%u[0-9A-Fa-f]{4}",
        "tag": r"<[A-Za-z/!?>]",
        "initials": r"(?i)(?:first|initial|opening) (?:word|letter)s? (?:of|in|from)",
        "aside": r"[(\[{][^()\[\]{}\n]{8}",
        "emphasis": r"[*`~]\w|\w[*`~]|(?:^|\s)_\w",
    },
)


@lru_cache(maxsize=1)
def _signs() -> Signs:
    return Signs(SIGNS)


def signs(text: str) -> frozenset[str]:
    """The decoders whose signs a text shows."""
    return _signs().shown(text)
