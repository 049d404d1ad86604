"""Texts that share runs of words with texts that only measure: they are not learned from.

Collections of attacks copy from each other. Equal texts are dropped elsewhere; this finds those that were
shortened, lengthened or had a name put in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_RUN = 8  # words
_SHARE = 0.2  # of a text's runs


def runs(text: str) -> list[bytes]:
    """A digest of every run of eight words; of the whole text where it has fewer."""
    words = re.findall(r"\w+", text.lower())
    spans = [words[at : at + _RUN] for at in range(max(1, len(words) - _RUN + 1))] if words else []
    return [hashlib.blake2b(" ".join(span).encode(), digest_size=8).digest() for span in spans]


class Overlap:
    """Says whether a text is mostly in one of others.

    Args:
        texts: the others.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._known = {run for text in texts for run in runs(text)}

    def __contains__(self, text: object) -> bool:
        own = runs(text) if isinstance(text, str) else []
        return bool(own) and sum(run in self._known for run in own) >= _SHARE * len(own)
