"""Text written as numbers or signals: bits, character codes, `chr(…)`, Morse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.guard.decoding.found import Found, found
from assay.guard.decoding.readable import as_text, is_readable
from assay.guard.views import Piece

_BITS = re.compile(r"(?:[01]{8}[\s,;|-]{0,2}){3,}[01]{8}|(?:[01]{7}[\s,;|-]{1,2}){3,}[01]{7}")
_CODES = re.compile(r"(?:\d{2,3}[\s,;|-]{1,2}){5,}\d{2,3}")
_CALLS = re.compile(r"(?:chr|char|fromCharCode|CHAR)\(\s*(\d{1,3}(?:\s*,\s*\d{1,3})*)\s*\)", re.IGNORECASE)
_GLUED = re.compile(r"[\s.+&|,\"']*")
_MORSE = re.compile(r"(?:[.\-_\u00b7\u2022\u2013\u2014\u2212]{1,6}[ \t]*(?:[/|\n][ \t]*|[ \t]+)){5,}"
                    r"[.\-_\u00b7\u2022\u2013\u2014\u2212]{1,6}")  # fmt: skip
_NUMBER = re.compile(r"\d+")
_BIT_RUN = re.compile(r"[01]+")
_GAP = re.compile(r"[ \t]*[/|\n][ \t]*|[ \t]{3,}")
_SIGNS = str.maketrans("\u00b7\u2022_\u2013\u2014\u2212", "..----")
_ALPHABET = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..
----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. .----.
-.-.-- -..-. ---... -....-
"""
_LETTERS = dict(zip(_ALPHABET.split(), "abcdefghijklmnopqrstuvwxyz0123456789.,?'!/:-", strict=True))


def codes(text: str, signs: frozenset[str]) -> Iterator[Found]:
    """The decodings of runs of numbers and of Morse."""
    if "binary" in signs:
        yield from found("binary", _bits(text))
    if "codes" in signs:
        yield from found("character-codes", _numbers(text))
    if "(" in text and "calls" in signs:
        yield from found("character-calls", _calls(text))
    if "morse" in signs:
        yield from found("morse", _morse(text))


def _bits(text: str) -> list[Piece]:
    pieces = []
    for match in _BITS.finditer(text):
        runs = _BIT_RUN.findall(match.group())
        joined = "".join(runs)
        groups = runs if len(runs[0]) == 7 else [joined[at : at + 8] for at in range(0, len(joined), 8)]  # noqa: PLR2004
        if decoded := as_text(bytes(int(group, 2) for group in groups if len(group) <= 8)):  # noqa: PLR2004
            pieces.append(Piece(*match.span(), decoded))
    return pieces


def _numbers(text: str) -> list[Piece]:
    pieces = []
    for match in _CODES.finditer(text):
        digits = _NUMBER.findall(match.group())
        for base in (10, 8):
            if base == 8 and not all(set(one) <= set("01234567") for one in digits):  # noqa: PLR2004
                continue
            values = [int(one, base) for one in digits]
            if max(values) < 256 and (decoded := as_text(bytes(values))):  # noqa: PLR2004
                pieces.append(Piece(*match.span(), decoded))
                break
    return pieces


def _calls(text: str) -> list[Piece]:
    """Calls that make a character each, glued by operators, are one piece."""
    pieces: list[Piece] = []
    for match in _CALLS.finditer(text):
        said = "".join(chr(int(number)) for number in _NUMBER.findall(match[1]))
        glue = _GLUED.fullmatch(text, pieces[-1].end, match.start()) if pieces else None
        if glue:
            last = pieces.pop()
            pieces.append(Piece(last.start, match.end(), last.text + said))
        else:
            pieces.append(Piece(*match.span(), said))
    return [piece for piece in pieces if len(piece.text) > 1]


def _morse(text: str) -> list[Piece]:
    pieces = []
    for match in _MORSE.finditer(text):
        words = _GAP.split(match.group().translate(_SIGNS))
        decoded = " ".join("".join(_LETTERS.get(sign, "\ufffd") for sign in word.split()) for word in words)
        if is_readable(decoded):
            pieces.append(Piece(*match.span(), decoded))
    return pieces
