"""A payload in ordinary surroundings: mail, page, log line, and so on."""

from __future__ import annotations

import random

from training.guard.generators.grammar import Grammar, data

_PLACE = "¤"


class Surroundings:
    """Plants payloads.

    Args:
        rng: where chance comes from.
        texts: real ordinary texts to plant in, beside the made ones.
    """

    def __init__(self, rng: random.Random, texts: list[str]) -> None:
        carriers = data("carriers")
        self._rng, self._texts = rng, texts
        self._grammar = Grammar(rng, {"filler": carriers["filler"]})
        self._wraps: dict[str, list[str]] = carriers["wrap"]

    def plant(self, payload: str) -> tuple[str, tuple[int, int]]:
        """A text that contains the payload, and where."""
        around = self._real() if self._texts and self._rng.random() < 0.4 else self._made()
        before, _, after = around.partition(_PLACE)
        return before + payload + after, (len(before), len(before) + len(payload))

    def empty(self) -> str:
        """The surroundings alone."""
        return self._made().replace(_PLACE, self._grammar.expand("$filler"))

    def _made(self) -> str:
        wrap = self._rng.choice(list(self._wraps.values()))
        return self._grammar.expand(self._rng.choice(wrap))

    def _real(self) -> str:
        text = self._rng.choice(self._texts)
        cut = self._rng.choice([0, len(text), *(at + 1 for at, sign in enumerate(text) if sign in ".\n|")])
        return f"{text[:cut]} {_PLACE} {text[cut:]}"
