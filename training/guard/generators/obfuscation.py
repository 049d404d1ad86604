"""How people and attackers distort a text and stay readable: other words, case, typing errors, digits."""

from __future__ import annotations

import random
import re
from functools import lru_cache

from training.guard.generators.grammar import data

_LEET = str.maketrans("aeiost", "431057")
_TYPOS = 0.05
_REWORDED, _OTHER_WORD = 0.35, 0.4  # of the texts, and of the words in them that have a synonym


def distort(text: str, rng: random.Random) -> str:
    """The text, most often as it is, else in other words, or with one distortion, or both."""
    if rng.random() < _REWORDED:
        text = _reworded(text, rng)
    chance = rng.random()
    if chance < 0.70:
        return text
    return rng.choice((_typos, _lower, _upper, _unpunctuated, _leet, _polite, _run_on, _dropped))(text, rng)


@lru_cache
def _synonyms() -> dict[str, list[str]]:
    return {word: words for words in data("synonyms") for word in words if " " not in word}


def _reworded(text: str, rng: random.Random) -> str:
    known = _synonyms()

    def other(match: re.Match[str]) -> str:
        words = known.get(match[0].lower())
        if words is None or rng.random() > _OTHER_WORD:
            return match[0]
        chosen = rng.choice(words)
        return chosen[0].upper() + chosen[1:] if match[0][0].isupper() else chosen

    return re.sub(r"[A-Za-z]+", other, text)


def _typos(text: str, rng: random.Random) -> str:
    letters = list(text)
    for at in range(len(letters) - 1):
        if letters[at].isalpha() and rng.random() < _TYPOS:
            if rng.random() < 0.5:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            else:
                letters[at] = rng.choice(("", letters[at] * 2, "e"))
    return "".join(letters)


def _lower(text: str, rng: random.Random) -> str:  # noqa: ARG001
    return text.lower()


def _upper(text: str, rng: random.Random) -> str:  # noqa: ARG001
    return text.upper()


def _unpunctuated(text: str, rng: random.Random) -> str:  # noqa: ARG001
    return "".join(sign for sign in text if sign.isalnum() or sign.isspace())


def _leet(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    return " ".join(word.translate(_LEET) if rng.random() < 0.3 else word for word in words)


def _polite(text: str, rng: random.Random) -> str:
    return rng.choice(("Hello, ", "Hi! ", "hey ", "Please help. ", "Thanks. ", "So: ", "")) + text


def _run_on(text: str, rng: random.Random) -> str:
    return text.replace(". ", rng.choice((", ", " and ", "\n", " - ")))


def _dropped(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    return " ".join(word for word in words if len(words) < 6 or rng.random() > 0.07)
