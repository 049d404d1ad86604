"""Templates: `{a|b}` one of, `$name` one of a slot's, nested to any depth; `¦ ⟦ ⟧` stand for `| { }`."""

from __future__ import annotations

import random
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from training.guard.generators.gibberish import gibberish

_DATA = Path(__file__).parent / "data"
_SLOT = re.compile(r"\$([a-z_]+)")
_INNERMOST = re.compile(r"\{([^{}]*)\}")
_LITERAL = str.maketrans("¦⟦⟧", "|{}")
_MAX_STEPS = 400


@lru_cache
def data(name: str) -> Any:
    """One file of templates."""
    return yaml.safe_load((_DATA / f"{name}.yaml").read_text(encoding="utf-8"))


def languages() -> dict[str, Any]:
    """Language -> its slots, and its injection, jailbreak and benign templates."""
    return {path.stem: data(f"languages/{path.stem}") for path in sorted((_DATA / "languages").iterdir())}


class Grammar:
    """Expands templates with words from slots.

    Args:
        rng: where chance comes from.
        extra: slots beside those of `slots.yaml`.
    """

    def __init__(self, rng: random.Random, extra: dict[str, list[str]] | None = None) -> None:
        self._rng = rng
        self._slots: dict[str, list[str]] = {**data("slots"), **(extra or {})}

    def expand(self, template: str) -> str:
        """A text; every choice is made anew."""
        text = template
        for _ in range(_MAX_STEPS):
            text, alternatives = _INNERMOST.subn(self._choose, text, count=1)
            if not alternatives:
                text, slots = _SLOT.subn(self._fill, text, count=1)
                if not slots:
                    return text.translate(_LITERAL)
        raise ValueError(f"this template does not end: {template}")

    def _choose(self, match: re.Match[str]) -> str:
        choice: str = self._rng.choice(match[1].split("|"))
        return choice

    def _fill(self, match: re.Match[str]) -> str:
        if match[1] == "gibberish":
            return gibberish(self._rng)
        words = self._slots.get(match[1])
        return self._rng.choice(words) if words else match[1]
