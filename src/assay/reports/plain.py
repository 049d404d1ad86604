r"""Hostile text made safe to show.

Findings quote what attackers wrote: terminal escapes, bidirectional overrides (CVE-2021-42574, "Trojan
Source"), zero-width characters. Whatever would not show as itself is written out as `\x1b` or `\u202e`, so
that a reader sees that it is there and no terminal, browser or Markdown renderer acts on it.
"""

from __future__ import annotations

import re
import unicodedata

# Control, format, surrogate, private use, unassigned; line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Characters that are assigned letters or symbols and still draw nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
_ENTITIES = {ord(char): f"&#{ord(char)};" for char in "\\`*_{}[]<>#|~$!&\"'"}
_LINKED = re.compile(r"(@|\bwww(?=\.)|:(?=//)|\bGH(?=-\d))", re.IGNORECASE)


def visible(text: str, *, limit: int = 0, keep: str = "") -> str:
    """`text` with every character that would not show as itself written out.

    Args:
        text: anything.
        limit: cut to so many characters, with an ellipsis; 0 does not cut.
        keep: characters left alone, such as a newline where the target can show it.
    """
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable() and not _BLANK.intersection(text):
        return text
    return "".join(char if char in keep else _shown(char) for char in text)


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category not in _UNSEEN and char not in _BLANK:
        return char
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if short:
        return short
    point = ord(char)
    if point <= 0xFF:  # noqa: PLR2004  what \x can write
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004


def markdown_text(text: str, *, limit: int = 0) -> str:
    """`text` as literal inline Markdown, also inside a table cell: no markup, HTML, mention or link."""
    escaped = visible(text, limit=limit).translate(_ENTITIES)
    # GitHub looks for mentions and links after entities are resolved; only a gap stops it.
    return _LINKED.sub(r"\1&#8203;", escaped)


def markdown_code(text: str, *, limit: int = 0) -> str:
    """`text` as inline code, safe in a table cell."""
    shown = visible(text, limit=limit).translate(_ENTITIES)
    # HTML rather than backticks: in a table, no run of backticks is safe from a pipe.
    return f"<code>{shown}</code>" if shown else ""
