"""Base 64, 32, 16 and 85: standard and URL alphabets, padding lost, lines wrapped."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from assay.guard.decoding.found import Found, found
from assay.guard.decoding.readable import as_text
from assay.guard.views import Piece

_SHORTEST = 12  # characters of a base 64 run
_WRAP = r"[ \t]*\r?\n[ \t>|]*"  # a line ends, and the next may be quoted
_RUN64 = re.compile(rf"[A-Za-z0-9+/_-]{{12,}}(?:{_WRAP}[A-Za-z0-9+/_-]{{2,}}(?=[\s=]|$))*={{0,2}}")
_RUN32 = re.compile(rf"[A-Z2-7]{{16,}}(?:{_WRAP}[A-Z2-7]{{2,}}(?=[\s=]|$))*={{0,6}}|[a-z2-7]{{24,}}={{0,6}}")
_RUN16 = re.compile(r"(?:(?:0x)?[0-9A-Fa-f]{2}[\s,:;-]{0,2}){7,}(?:0x)?[0-9A-Fa-f]{2}")
_RUN85 = re.compile(r"<~[!-uz\s]{10,}~>|[!-~]{15,}(?:\s*\n[!-~]{15,})*(?:\s*\n[!-~]{1,75}(?![!-~]))?")
_SYMBOL = re.compile(r"[^A-Za-z0-9]")
_PREFIX = re.compile(r"0x|\\x|[^0-9A-Fa-f]", re.IGNORECASE)
_BLANK = re.compile(r"[\s>|]+")
_URL_SAFE = str.maketrans("-_", "+/")


def bases(text: str, signs: frozenset[str]) -> Iterator[Found]:
    """The decodings of runs in any of the bases."""
    for name, pattern, decode in _BASES:
        if name in signs:
            yield from found(name, _runs(pattern, text, decode))


def _runs(pattern: re.Pattern[str], text: str, decode: Callable[[str], str]) -> list[Piece]:
    pieces = []
    for match in pattern.finditer(text):
        run = match.group()
        if decoded := decode(run):
            pieces.append(Piece(*match.span(), decoded))
        elif "\n" in run:
            for start, end in _parts(run, match.start()):
                if decoded := decode(text[start:end]):
                    pieces.append(Piece(start, end, decoded))
                    if end == match.end():
                        break
    return pieces


def _parts(run: str, start: int) -> Iterable[tuple[int, int]]:
    """Of a run that is wrapped: all but its last line, then each line by itself."""
    yield start, start + len(run[: run.rindex("\n")].rstrip())
    at = 0
    for line in run.split("\n")[:64]:
        yield start + at, start + at + len(line.rstrip())
        at += len(line) + 1


def _base64(run: str) -> str:
    body = _BLANK.sub("", run).rstrip("=").translate(_URL_SAFE)
    if len(body) < _SHORTEST or body.isdigit():
        return ""
    for skip in (0, 1, 2, 3) if len(body) >= 4 * _SHORTEST else (0,):  # cut out of something longer
        part = body[skip:]
        part = part[: len(part) - 1] if len(part) % 4 == 1 else part
        try:
            data = base64.b64decode(part + "=" * (-len(part) % 4), validate=True)
        except (ValueError, binascii.Error):
            return ""
        if decoded := as_text(data) or (as_text(data[:-1]) if skip else ""):
            return decoded
    return ""


def _base32(run: str) -> str:
    body = _BLANK.sub("", run).rstrip("=").upper()
    body = body[: len(body) - 1] if len(body) % 8 in {1, 3, 6} else body
    try:
        return as_text(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (ValueError, binascii.Error):
        return ""


def _hex(run: str) -> str:
    digits = _PREFIX.sub("", run)
    try:
        return as_text(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    except ValueError:
        return ""


def _base85(run: str) -> str:
    if run.startswith("<~"):
        return _read85(base64.a85decode, run[2:-2])
    body = "".join(run.split())
    fitting = [kind for kind in _KINDS85 if kind.fits(body)]
    if not fitting:
        return ""
    plain = _BLANK.sub("", run)
    if len(_SYMBOL.findall(plain)) < max(2, len(plain) // 20):
        return ""
    return next(filter(None, (_read85(kind.read, body) for kind in fitting)), "")


def _read85(read: Callable[[str], bytes], body: str) -> str:
    try:
        return as_text(read(body))
    except (ValueError, binascii.Error):
        return ""


class _Base85(NamedTuple):
    """One of the bases 85: its reader, which is slow, and what tells at once that it is none."""

    read: Callable[[str], bytes]
    alphabet: re.Pattern[str]
    digits: str

    def fits(self, body: str) -> bool:
        """Whether all is of the alphabet, and the first four bytes may begin a text in UTF-8."""
        if not self.alphabet.fullmatch(body):
            return False
        value = 0
        for character in body[:5]:
            if character == "z":  # which may stand for five
                return True
            value = 85 * value + self.digits.index(character)
        if value >> 32:
            return False
        try:
            value.to_bytes(4, "big").decode()
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data"
        return True


_B85 = string.digits + string.ascii_uppercase + string.ascii_lowercase + "!#$%&()*+-;<=>?@^_`{|}~"
_A85 = "".join(map(chr, range(ord("!"), ord("u") + 1)))
_KINDS85 = (
    _Base85(base64.b85decode, re.compile(f"[{re.escape(_B85)}]+"), _B85),
    _Base85(base64.a85decode, re.compile(r"[!-uz]+"), _A85),
)


_BASES = (
    ("hex", _RUN16, _hex),
    ("base64", _RUN64, _base64),
    ("base32", _RUN32, _base32),
    ("base85", _RUN85, _base85),
)
