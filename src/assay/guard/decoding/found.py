"""What a decoder hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from assay.guard.views import Piece


class Found(NamedTuple):
    """A decoding of a text.

    Attributes:
        name: as verdicts call it: `base64`.
        pieces: what was decoded, by position.
        whole: the pieces are all of the text, in the order in which they are to be read.
    """

    name: str
    pieces: Sequence[Piece]
    whole: bool = False


# Of a text, and the signs that it shows.
Decoder = Callable[[str, frozenset[str]], Iterable[Found]]


def found(name: str, pieces: Sequence[Piece]) -> Iterable[Found]:
    """A decoding, unless there is nothing decoded."""
    return (Found(name, pieces),) if pieces else ()
