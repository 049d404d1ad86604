"""Characters that a person does not see and a model does: found, removed, and mapped back.

Kinds: `tag` (U+E0000 block, spells ASCII invisibly), `bidi` (embedding, override, isolate: shown order is not
stored order, CVE-2021-42574), `invisible` (zero width and fillers), `variation` (selectors that carry
bytes), `control` (C0 and C1). Ordinary uses are left alone: joiners in emoji and in the scripts that
need them, one variation selector after a symbol, flags made of tags, a byte order mark at the start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

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
_CLASSES = {
    "tag": _TAG,
    "bidi": _BIDI,
    "variation": _VARIATION,
    "control": _CONTROL,
    "invisible": _JOINERS + _MARKS + _INVISIBLE,
}


def _members(characters: str) -> Iterator[str]:
    """The characters of a class as regular expressions write it: some, and ranges `a-z`."""
    at = 0
    while at < len(characters):
        last = characters[at + 2] if characters[at + 1 : at + 2] == "-" else characters[at]
        yield from map(chr, range(ord(characters[at]), ord(last) + 1))
        at += 1 if last == characters[at] else 3


_KIND = {character: kind for kind, members in _CLASSES.items() for character in _members(members)}
# Flags that there are (England, Scotland, Wales, states of the US): other tags behind one hide something.
_FLAG = re.compile(
    "\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)|\U000e0075\U000e0073[\U000e0061-\U000e007a]{2})\U000e007f"
)
# Scripts in which joiners or direction marks are spelling: Hebrew, Arabic, Syriac, Indic, Mongolian, Khmer …
_JOINING = re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINER = frozenset(_JOINERS + _MARKS)
_LINES = frozenset({"\u2028", "\u2029"})
_KEYS = frozenset({"#", "*"})  # of a keypad
_OVERRIDE = re.compile("[\u202d\u202e]")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
LOOKALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеосрхуіјѕһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρι",  # noqa: RUF001  the point
    "ABESIJKMHOPCTXYaeocpxyijshdqwABEZHIKMNOPTYXoavpi",
)
_LOOKALIKES = re.compile("[" + "".join(map(chr, LOOKALIKE)) + "]")


class HiddenSpan(NamedTuple):
    """A run of hidden characters of one kind: `text[start:end]`, and what it spells, if anything."""

    kind: str
    start: int
    end: int
    decoded: str = ""


def hidden_spans(text: str) -> tuple[HiddenSpan, ...]:
    """Runs of hidden characters that have no ordinary reason to be where they are, in order."""
    if text.isascii() and (text.isprintable() or not _ASCII_CONTROL.search(text)):
        return ()
    flags = dict(match.span() for match in _FLAG.finditer(text)) if "\U0001f3f4" in text else {}
    found: list[HiddenSpan] = []
    for match in _ANY.finditer(text):
        start, end = match.span()
        start = flags.get(start - 1, start)  # behind the flag that it begins with
        if start == end:
            continue
        if end - start > 1:
            found += _runs(text, start, end)
        elif not _ordinary(text, start, end, kind := _KIND[text[start]]):
            found.append(HiddenSpan(kind, start, end, _decoded(text[start:end], kind)))
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


def _runs(text: str, start: int, end: int) -> list[HiddenSpan]:
    """Split a run by kind and drop what is ordinary where it stands."""
    found: list[HiddenSpan] = []
    at = start
    while at < end:
        kind = _KIND[text[at]]
        stop = at + 1
        while stop < end and _KIND[text[stop]] == kind:
            stop += 1
        if not _ordinary(text, at, stop, kind):
            found.append(HiddenSpan(kind, at, stop, _decoded(text[at:stop], kind)))
        at = stop
    return found


def _ordinary(text: str, start: int, end: int, kind: str) -> bool:
    """Whether a run is spelling or typesetting rather than hiding."""
    run = text[start:end]
    if len(run) > 2:  # noqa: PLR2004  no script needs three in a row
        return False
    if kind == "invisible":
        return _ordinary_invisible(text, start, end)
    if kind == "variation":
        before = text[start - 1] if start else ""
        return len(run) == 1 and (
            _is_symbol(before) or (run == "\ufe0f" and before.isdigit()) or before in _KEYS
        )
    # Embeddings and isolates are how Hebrew and Arabic are typeset; overrides are not.
    return kind == "bidi" and _is_scripted(text, start, end) and not _OVERRIDE.search(run)


def _ordinary_invisible(text: str, start: int, end: int) -> bool:
    run = text[start:end]
    before, after = text[start - 1] if start else "", text[end : end + 1]
    if run == "\ufeff":
        return start == 0
    if not _JOINER.isdisjoint(run):
        joins = run == "\u200d" and _is_symbol(before) and not before.isalpha() and bool(after)
        return joins or _is_scripted(text, start, end)
    return run in _LINES or (run == "\u00ad" and before.isalpha() and after.isalpha())


def _is_symbol(character: str) -> bool:
    return bool(character) and not character.isspace() and not character.isascii()


def _is_scripted(text: str, start: int, end: int) -> bool:
    """Whether a script stands around it in which such characters are spelling."""
    return _JOINING.search(text[max(0, start - 2) : end + 2]) is not None


def _decoded(run: str, kind: str) -> str:
    if kind == "tag":
        return "".join(chr(ord(c) - 0xE0000) for c in run if 0xE0020 <= ord(c) <= 0xE007E)  # noqa: PLR2004
    if kind == "variation":
        data = bytes(ord(c) - 0xFE00 if ord(c) < 0x10000 else ord(c) - 0xE0100 + 16 for c in run)  # noqa: PLR2004
        text = data.decode("utf-8", "replace")
        return text if text.isprintable() else ""
    return ""
