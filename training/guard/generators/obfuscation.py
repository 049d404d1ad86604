"""How people and attackers distort a text and stay readable: case, typing errors, digits, punctuation."""

from __future__ import annotations

import random

_LEET = str.maketrans("aeiost", "431057")
_TYPOS = 0.05


def distort(text: str, rng: random.Random) -> str:
    """The text, most often as it is, else with one distortion."""
    chance = rng.random()
    if chance < 0.70:
        return text
    return rng.choice((_typos, _lower, _upper, _unpunctuated, _leet, _polite, _run_on, _dropped))(text, rng)


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
