"""Characters that a person does not see and a model does: found, removed, and mapped back.

Kinds: `tag` (U+E0000 block, spells ASCII invisibly), `bidi` (embedding, override, isolate: shown order is not
stored order, CVE-2021-42574), `invisible` (zero width and fillers), `variation` (selectors that carry
bytes), `control` (C0 and C1). Ordinary uses are left alone: joiners in emoji and in the scripts that
need them, one variation selector after a symbol, flags made of tags, a byte order mark at the start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = "\U000e0000-\U000e007f"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_JOINERS = "\u200c\u200d"
_MARKS = "\u200e\u200f\u061c"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\u2028\u2029"
)
_VARIATION = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_CONTROL = "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_ANY = re.compile(f"[{_TAG}{_BIDI}{_JOINERS}{_MARKS}{_INVISIBLE}{_VARIATION}{_CONTROL}]+")
_KINDS = (
    ("tag", re.compile(f"[{_TAG}]")),
    ("bidi", re.compile(f"[{_BIDI}]")),
    ("variation", re.compile(f"[{_VARIATION}]")),
    ("control", re.compile(f"[{_CONTROL}]")),
)
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
# Scripts in which joiners or direction marks are spelling: Hebrew, Arabic, Syriac, Indic, Mongolian, Khmer …
_JOINING = re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINER = re.compile(f"[{_JOINERS}{_MARKS}]")
_OVERRIDE = re.compile("[\u202d\u202e]")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
LOOKALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеосрхуіјѕһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρι",  # noqa: RUF001  the point
    "ABESIJKMHOPCTXYaeocpxyijshdqwABEZHIKMNOPTYXoavpi",
)
_LOOKALIKES = re.compile("[" + "".join(map(chr, LOOKALIKE)) + "]")


@dataclass(frozen=True, slots=True)
class HiddenSpan:
    """A run of hidden characters of one kind: `text[start:end]`, and what it spells, if anything."""

    kind: str
    start: int
    end: int
    decoded: str = ""


def hidden_spans(text: str) -> tuple[HiddenSpan, ...]:
    """Runs of hidden characters that have no ordinary reason to be where they are, in order."""
    if text.isascii() and (text.isprintable() or not _ASCII_CONTROL.search(text)):
        return ()
    flags = [match.span() for match in _FLAG.finditer(text)] if "\U0001f3f4" in text else []
    found: list[HiddenSpan] = []
    for match in _ANY.finditer(text):
        if not any(start < match.start() < end for start, end in flags):
            found += _runs(text, match.start(), match.end())
    return tuple(found)


def visible(text: str) -> str:
    """The text without its hidden characters."""
    spans = hidden_spans(text)
    if not spans:
        return text
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    return "".join(text[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2))


def mixed_script_words(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of words that mix Latin letters with look-alikes from Cyrillic or Greek."""
    if text.isascii() or not _LOOKALIKES.search(text):
        return ()
    words = ((match.group(), match.span()) for match in _WORD.finditer(text))
    return tuple(span for word, span in words if _LATIN.search(word) and _LOOKALIKES.search(word))


def has_mixed_script_word(text: str) -> bool:
    """Whether there is any such word."""
    return bool(mixed_script_words(text))


def _kind(character: str) -> str:
    return next((name for name, pattern in _KINDS if pattern.match(character)), "invisible")


def _runs(text: str, start: int, end: int) -> list[HiddenSpan]:
    """Split a run by kind and drop what is ordinary where it stands."""
    found: list[HiddenSpan] = []
    at = start
    while at < end:
        kind = _kind(text[at])
        stop = at + 1
        while stop < end and _kind(text[stop]) == kind:
            stop += 1
        if not _ordinary(text, at, stop, kind):
            found.append(HiddenSpan(kind, at, stop, _decoded(text[at:stop], kind)))
        at = stop
    return found


def _ordinary(text: str, start: int, end: int, kind: str) -> bool:
    """Whether a run is spelling or typesetting rather than hiding."""
    run, before, after = text[start:end], text[max(0, start - 1) : start], text[end : end + 1]
    if len(run) > 2:  # noqa: PLR2004  no script needs three in a row
        return False
    symbol = bool(before) and not before.isspace() and not before.isascii()
    if kind == "variation":
        return len(run) == 1 and (symbol or (run == "\ufe0f" and before.isdigit()) or before in {"#", "*"})
    scripted = bool(_JOINING.search(text[max(0, start - 2) : end + 2]))
    if kind == "bidi":
        # Embeddings and isolates are how Hebrew and Arabic are typeset; overrides are not.
        return scripted and not _OVERRIDE.search(run)
    ordinary = _ordinary_invisible(run, before, after, start, joins=(scripted, symbol))
    return kind == "invisible" and ordinary


def _ordinary_invisible(run: str, before: str, after: str, start: int, joins: tuple[bool, bool]) -> bool:
    scripted, symbol = joins
    if run == "\ufeff":
        return start == 0
    if _JOINER.search(run):
        return scripted or (run == "\u200d" and symbol and not before.isalpha() and bool(after))
    return run in {"\u2028", "\u2029"} or (run == "\u00ad" and before.isalpha() and after.isalpha())


def _decoded(run: str, kind: str) -> str:
    if kind == "tag":
        return "".join(chr(ord(c) - 0xE0000) for c in run if 0xE0020 <= ord(c) <= 0xE007E)  # noqa: PLR2004
    if kind == "variation":
        data = bytes(ord(c) - 0xFE00 if ord(c) < 0x10000 else ord(c) - 0xE0100 + 16 for c in run)  # noqa: PLR2004
        text = data.decode("utf-8", "replace")
        return text if text.isprintable() else ""
    return ""
