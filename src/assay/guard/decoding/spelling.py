"""Spellings that a reader sees through: leet, letters apart, words run together or cut, pig Latin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.guard.decoding.found import Found, found
from assay.guard.decoding.vocabulary import tells, vocabulary
from assay.guard.views import Piece

_LEET = str.maketrans("0134567892@$!|+€£¢", "oieasgtbgzasiitelc")
_LEET_L = str.maketrans("0134567892@$!|+€£¢", "oleasgtbgzaslltelc")
_APART = re.compile(
    r"(?<![^\W_])[^\W\d_](?:([ \t.\-_*\u00b7|/,~^]|\r?\n)\1?[^\W\d_](?![^\W_])(?:[ \t]{2,4}|\s?/\s?)?){4,}"
)
_LETTER_GAP = re.compile(r"[ \t.\-_*\u00b7|/,~^\r\n]+")
# Both begin with what is rare, or where a word does: else the time would grow with the square of the text.
_CUT = re.compile(
    r"[.\-_*\u00b7|/~^=\"'](?<=[^\W\d_].)"
    r"(?:(?<![\"'])[.\-_*\u00b7|/~^=]?|(?<=[\"'])\s?\+\s?[\"'])(?=[^\W\d_])"
)
_JOINED = re.compile(r"(?<![A-Za-z0-9'])[A-Za-z0-9']+(?:([_.+|/~^-])[A-Za-z0-9']+)(?:\1[A-Za-z0-9']+)+")
_JOINT = re.compile(r"[_.+|/~^-]")
_LONG_WORD = re.compile(r"[A-Za-z]{14,160}")
_PIG = re.compile(r"\b[A-Za-z]{1,30}ay\b")
_MOST_WORD, _FEWEST_WORDS, _FEWEST_PIG = 16, 3, 3


def spelling(text: str, signs: frozenset[str]) -> Iterator[Found]:
    """The text respelled in every way that brings out words that orders are made of."""
    lowered = text.replace("\u0130", "I").lower()  # the one letter that lower case makes two of
    seen = tells(lowered) if signs & {"leet", "cut"} else set()
    if "leet" in signs:
        yield from _leet(lowered, seen)
    if "apart" in signs:
        yield from found("spaced", _apart(text))
    if "cut" in signs:
        yield from _cut(text, lowered, seen)
    if "joined" in signs:
        yield from found("joined", _separated(text))
    if "squeezed" in signs:
        yield from found("squeezed", _squeezed(text))
    if "ay" in lowered and "pig" in signs:
        yield from found("pig-latin", _pig(text))


def _leet(text: str, seen: set[str]) -> Iterator[Found]:
    translated = text.translate(_LEET)
    found_first = tells(translated)
    if found_first - seen:
        yield Found("leet", [Piece(0, len(text), translated, 1)], whole=True)
    other = text.translate(_LEET_L)
    if other != translated and tells(other) - seen - found_first:
        yield Found("leet", [Piece(0, len(text), other, 1)], whole=True)


def _apart(text: str) -> list[Piece]:
    """Letters one by one; wider gaps, or another separator, part the words."""
    pieces = []
    for match in _APART.finditer(text):
        run, separator = match.group(), _LETTER_GAP.search(match.group())
        first = separator.group() if separator else " "
        spelled = _LETTER_GAP.sub(lambda gap: "" if gap.group() == first else " ", run)  # noqa: B023  called at once
        words = spelled if " " in spelled else " ".join(segmented(spelled) or [spelled])
        pieces.append(Piece(*match.span(), words))
    return pieces


def _cut(text: str, lowered: str, seen: set[str]) -> Iterator[Found]:
    """Words with separators in them: "ig-nore", "'ign'+'ore'"."""
    if tells(_CUT.sub("", lowered)) - seen:
        yield from found("cut", [Piece(*match.span(), "") for match in _CUT.finditer(text)])


def _separated(text: str) -> list[Piece]:
    """Words with separators instead of spaces: "ignore_all_previous_instructions"."""
    pieces = []
    for match in _JOINED.finditer(text):
        words = _JOINT.split(match.group().lower())
        if sum(word in vocabulary().known for word in words) >= _FEWEST_WORDS:
            pieces.append(Piece(*match.span(), _JOINT.sub(" ", match.group()), 1))
    return pieces


def _squeezed(text: str) -> list[Piece]:
    """Words without spaces: "ignoreallpreviousinstructions", "IgnoreAllPreviousInstructions"."""
    pieces = []
    for match in _LONG_WORD.finditer(text):
        words = segmented(match.group())
        if len(words) >= _FEWEST_WORDS:
            pieces.append(Piece(*match.span(), " ".join(words)))
    return pieces


def segmented(run: str) -> list[str]:
    """The fewest known words that make up a run of letters, as it spells them; [] where none do."""
    known, lowered = vocabulary().known, run.lower()
    if len(run) > 400:  # noqa: PLR2004  no sentence: the time grows with it
        return []
    best: list[tuple[int, int] | None] = [(0, 0), *[None] * len(run)]
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _MOST_WORD), end):
            before = best[start]
            if before is not None and lowered[start:end] in known:
                count = before[0] + 1
                now = best[end]
                if now is None or count < now[0]:
                    best[end] = (count, start)
    words: list[str] = []
    end = len(run)
    while end:
        step = best[end]
        if step is None:
            return []
        words.append(run[step[1] : end])
        end = step[1]
    return words[::-1]


def _pig(text: str) -> list[Piece]:
    matches = list(_PIG.finditer(text))
    if len(matches) < _FEWEST_PIG or 3 * len(matches) < text.count(" "):
        return []
    return [Piece(*match.span(), _unpigged(match.group())) for match in matches]


def _unpigged(word: str) -> str:
    """Without the "ay", its last consonants moved to the front: as many as make a known word."""
    body, known = word[:-2], vocabulary().known
    if body[-1:] in {"w", "y"} and body[:-1].lower() in known:
        return body[:-1]
    tail = len(body) - len(body.rstrip("bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ"))
    for count in range(1, tail + 1):
        if (moved := body[-count:] + body[:-count]).lower() in known:
            return moved
    return body[-tail:] + body[:-tail] if tail else body
