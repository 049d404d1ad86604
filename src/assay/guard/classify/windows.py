"""A text in overlapping windows of tokens: what is short is lost in the score of a long text.

A window begins where a sentence or a line does, if one is near, else where a word does. So a sentence that is
cut by the end of one window stands whole at the beginning of the next, as long as it is not longer than what
windows share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.embeddings.text_model import Tokens

_ENDS = frozenset(".!?;:\n\r…。！？；।؟")  # noqa: RUF001  as these languages write them


@dataclass(frozen=True, slots=True)
class Window:
    """Some of a text's tokens, and where they stand: `text[start:end]`."""

    ids: tuple[int, ...]
    start: int
    end: int


def cut(text: str, tokens: Tokens, room: int) -> Iterator[Window]:
    """The windows of a text, in order; together they hold every token.

    Args:
        text: what was taken apart.
        tokens: its tokens.
        room: tokens a window, at least 8.
    """
    count, start = len(tokens.ids), 0
    while count - start > room:
        end = start + room
        yield _window(tokens, start, end)
        start = _beginning(text, tokens.offsets, end - 3 * room // 8, end - room // 8)
    if count:
        yield _window(tokens, start, count)


def _beginning(text: str, offsets: Sequence[tuple[int, int]], first: int, last: int) -> int:
    """The place from `last` back to `first` at which a window best begins."""
    for at in range(last, first, -1):
        if any(sign in _ENDS for sign in text[offsets[at - 1][1] - 1 : offsets[at][0]]):
            return at
    return next((at for at in range(last, first, -1) if offsets[at - 1][1] < offsets[at][0]), last)


def _window(tokens: Tokens, start: int, end: int) -> Window:
    places = tokens.offsets[start:end]
    return Window(tuple(tokens.ids[start:end]), places[0][0], places[-1][1])
