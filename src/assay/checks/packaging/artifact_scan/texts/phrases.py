"""Words that speak to a model rather than to a person, in texts of any size.

The guard's own matcher is exact and folds look-alikes; it takes its time on long texts that are not ASCII.
Those are folded to ASCII first, which is what its rules are written in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from assay.guard.match import scan_text
from assay.guard.unicode import visible

EXACT = 1 << 18  # characters up to which a text is matched as it is
PIECE = 1 << 20
OVERLAP = 400
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
# Marks of chat formats are what templates and tokenizers are made of.
_ORDINARY = frozenset({"injection/chat-markup"})


class Phrase(NamedTuple):
    """A phrase that was found: the guard's rule, and the words."""

    rule: str
    text: str


def find(text: str) -> Iterator[Phrase]:
    """The phrases of the guard's injection rules in a text, each once."""
    seen: set[Phrase] = set()
    # JSON may hold half a surrogate pair, which no matcher takes.
    for piece in _pieces(text.encode("utf-8", "replace").decode("utf-8")):
        for match in scan_text(piece):
            phrase = Phrase(match.rule_id, " ".join(piece[match.start : match.end].split()))
            if (
                match.rule_id.startswith("injection/")
                and match.rule_id not in _ORDINARY
                and phrase not in seen
            ):
                seen.add(phrase)
                yield phrase


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= EXACT:
        yield text
        return
    for at in range(0, len(text), PIECE):
        piece = text[at : at + PIECE + OVERLAP]
        yield piece if piece.isascii() else _FOREIGN.sub("·", unicodedata.normalize("NFKC", visible(piece)))
