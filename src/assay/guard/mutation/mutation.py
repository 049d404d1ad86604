"""What a mutation is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Rewrite: TypeAlias = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to rewrite an attack.

    Attributes:
        name: `family/short-name`.
        title: what it does, as the end of "the attack …": "in base64".
        rewrite: the text and a random generator in, the rewritten text out.
        last: nothing that changes letters may follow, since what is encoded could not be decoded any more.
    """

    name: str
    title: str
    rewrite: Rewrite
    last: bool = False

    @property
    def family(self) -> str:
        """`character`, `encoding`, `splitting`, `padding`, `carrier`, `paraphrase` or `language`."""
        return self.name.partition("/")[0]

    def __call__(self, text: str, rng: random.Random) -> str:
        """The text, rewritten."""
        return self.rewrite(text, rng)
