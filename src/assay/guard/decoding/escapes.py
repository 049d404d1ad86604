"""Escapes that software undoes: URL, HTML, quoted-printable, string literals; and markup inside words."""

from __future__ import annotations

import html
import quopri
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from assay.guard.decoding.found import Found, found
from assay.guard.views import Piece

_URL = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HTML = re.compile(r"(?:&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?)+")
_QUOTED = re.compile(r"(?:=[0-9A-Fa-f]{2}|=\r?\n)+")
_TAG = re.compile(r"<!--.{0,2000}?-->|</?[A-Za-z][^<>]{0,300}>|<!?/?>", re.DOTALL)
_EMPHASIS = re.compile(
    r"(?=[*`~_])(?:(?<=\w)(?:\*{1,3}|`{1,3}|~~)(?=\w)|(?<!\S)[*`~_]{1,3}(?=\w)|(?<=\w)[*`~_]{1,3}(?!\w))"
)
_ESCAPE = re.compile(
    r"(?:\\u\{[0-9A-Fa-f]{1,6}\}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}"
    r"|\\[nrt\"'/]|%u[0-9A-Fa-f]{4}|\\0{2,4}[0-9A-Fa-f]{2}[ ]?)+"
    r"|(?:[Uu]\+[0-9A-Fa-f]{4,6}[\s,;]{0,2})+(?<=[0-9A-Fa-f])"
)
_ONE = re.compile(
    r"(?:\\u\{|\\u|\\U|\\x|%u|[Uu]\+|\\0{2,4}(?=[0-9A-Fa-f]{2}))([0-9A-Fa-f]{2,8})\}?[\s,;]{0,2}"
    r"|\\([0-3][0-7]{2})|\\([nrt\"'/])"
)
_PLAIN = {"n": "\n", "r": "\n", "t": "\t", '"': '"', "'": "'", "/": "/"}


def escapes(text: str, signs: frozenset[str]) -> Iterator[Found]:
    """The decodings of runs of escapes."""
    if "%" in text:
        yield from found("url", _runs(_URL, text, _url))
    if "&" in text:
        yield from found("html", _runs(_HTML, text, html.unescape))
    if "escape" in signs:
        yield from found("escapes", _runs(_ESCAPE, text, _escape))
    if "=" in text:
        yield from found("quoted-printable", _runs(_QUOTED, text, _quoted))
    if "<" in text and "tag" in signs:
        yield from found("tags", [Piece(*match.span(), "") for match in _TAG.finditer(text)])
    if "emphasis" in signs:
        yield from found("emphasis", [Piece(*match.span(), "") for match in _EMPHASIS.finditer(text)])


def _runs(pattern: re.Pattern[str], text: str, decode: Callable[[str], str]) -> list[Piece]:
    pieces = []
    for match in pattern.finditer(text):
        decoded = decode(match.group())
        if decoded != match.group():
            pieces.append(Piece(*match.span(), decoded))
    return pieces


def _url(run: str) -> str:
    decoded = unquote(run)
    return unquote(run, "latin-1") if "\ufffd" in decoded else decoded


def _quoted(run: str) -> str:
    """Bytes in UTF-8, else as they are: "x=10" is no escape."""
    data = quopri.decodestring(run.encode())
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        return run
    return decoded if decoded.isprintable() else run


def _escape(run: str) -> str:
    decoded = _ONE.sub(_character, run)
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    digits, octal, plain = match.groups()
    if plain:
        return _PLAIN[plain]
    code = int(octal, 8) if octal else int(digits, 16)
    return chr(code) if code <= 0x10FFFF else match.group()  # noqa: PLR2004  Unicode's last
