"""Cuts a template into texts and blocks, and blocks into tokens, with Jinja's default delimiters.

Source: the lexer chapter of https://jinja.palletsprojects.com/en/stable/templates/ and the string rules of
`jinja2.lexer`: escapes are Python's, which is how names are hidden from plain search.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from assay.core.errors import LimitError, SubjectError

MAX_SEGMENTS = 200_000
MAX_TOKENS = 20_000  # of one block
MAX_TOTAL = 1_000_000  # tokens of a template, those of blocks that cannot be read included
MAX_BROKEN = 20_000  # characters of a block that cannot be read
_OPEN = re.compile(r"\{\{|\{%|\{#")
_CLOSE = {"{{": "}}", "{%": "%}"}
_RAW = re.compile(r"[-+]?\s*raw\s*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<float>\d+(?:_\d+)*(?:\.\d+(?:_\d+)*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
    |(?P<integer>0[bB][01_]+|0[oO][0-7_]+|0[xX][\da-fA-F_]+|\d+(?:_\d+)*)
    |(?P<name>[^\W\d]\w*)
    |(?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<operator>//|\*\*|==|!=|<=|>=|[-+/*%~\[\](){}=<>.:|,;])""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class JinjaSyntaxError(SubjectError):
    """What Jinja would not compile."""


class Token(NamedTuple):
    """A word of a block: `kind` is name, string, integer, float or operator; `at` its place."""

    kind: str
    text: str
    at: int


class Segment(NamedTuple):
    """A piece of a template.

    Attributes:
        kind: text, comment, output (`{{ }}`), statement (`{% %}`), or broken.
        text: of a text, comment or broken block.
        at: its place.
        tokens: of an output or statement.
    """

    kind: str
    text: str
    at: int
    tokens: tuple[Token, ...] = ()


def segments(source: str) -> Iterator[Segment]:
    """The pieces of a template, in order.

    Raises:
        LimitError: there are more, or more words in them, than will be followed.
    """
    return _Lexer(source).segments()


class _Lexer:
    """Cuts one template, in a time that is linear whatever it holds."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._left = MAX_TOTAL
        self._unclosed: set[str] = set()  # ends that stand nowhere behind the place we are at

    def segments(self) -> Iterator[Segment]:
        at = 0
        for _ in range(MAX_SEGMENTS):
            opening = _OPEN.search(self._source, at)
            if opening is None:
                if at < len(self._source):
                    yield Segment("text", self._source[at:], at)
                return
            if opening.start() > at:
                yield Segment("text", self._source[at : opening.start()], at)
            segment, at = self._block(opening.start(), opening.group())
            yield segment
        raise LimitError(f"more than {MAX_SEGMENTS:,} blocks")

    def _block(self, start: int, opening: str) -> tuple[Segment, int]:
        if opening == "{#":
            return self._comment(start)
        raw = self._raw(start) if opening == "{%" else None
        if raw:
            return raw
        try:
            tokens, end = self._tokens(start + 2, _CLOSE[opening])
        except JinjaSyntaxError:
            end = self._source.find(_CLOSE[opening], start + 2, start + MAX_BROKEN)
            stop = start + 2 if end < 0 else end + 2
            return Segment("broken", self._source[start:stop], start), stop
        return Segment("output" if opening == "{{" else "statement", "", start, tokens), end

    def _comment(self, start: int) -> tuple[Segment, int]:
        end = -1 if "#}" in self._unclosed else self._source.find("#}", start + 2)
        if end < 0:
            self._unclosed.add("#}")
            return Segment("broken", self._source[start : start + 2], start), start + 2
        return Segment("comment", self._source[start + 2 : end], start), end + 2

    def _raw(self, start: int) -> tuple[Segment, int] | None:
        raw = _RAW.match(self._source, start + 2)
        if raw is None or "endraw" in self._unclosed:
            return None
        closing = _END_RAW.search(self._source, raw.end())
        if closing is None:
            self._unclosed.add("endraw")
            return None
        return Segment("text", self._source[raw.end() : closing.start()], raw.end()), closing.end()

    def _tokens(self, start: int, closing: str) -> tuple[tuple[Token, ...], int]:
        """The tokens up to `closing` that no bracket holds back, and where it ends."""
        at = start + (self._source[start : start + 1] in {"-", "+"})
        found: list[Token] = []
        open_brackets: list[str] = []
        while len(found) < MAX_TOKENS:
            end = self._closing(at, closing) if not open_brackets else 0
            if end:
                return tuple(found), end
            match = _TOKEN.match(self._source, at)
            if match is None:
                break
            at = match.end()
            if match.lastgroup != "space":
                self._spend()
                found.append(_token(match))
                _balance(found[-1], open_brackets)
        raise JinjaSyntaxError("a block cannot be read")

    def _closing(self, at: int, closing: str) -> int:
        """Where a closing mark at `at` ends; 0 where there is none."""
        for mark in ("-", "+", ""):
            if self._source.startswith(mark + closing, at):
                return at + len(mark + closing)
        return 0

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitError(f"more than {MAX_TOTAL:,} words in blocks")


def _token(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group()
    return Token(kind, _unescaped(text[1:-1]) if kind == "string" else text, match.start())


def _balance(token: Token, open_brackets: list[str]) -> None:
    if token.kind != "operator":
        return
    if token.text in _PAIRS:
        open_brackets.append(_PAIRS[token.text])
    elif token.text in _PAIRS.values() and (not open_brackets or open_brackets.pop() != token.text):
        raise JinjaSyntaxError("brackets do not match")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown escape is kept as it is
            return text.encode("ascii", "backslashreplace").decode("unicode-escape")
    except UnicodeDecodeError as error:
        raise JinjaSyntaxError("a string holds a broken escape") from error
