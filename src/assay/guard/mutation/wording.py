"""Other words for the same order, and the same order in other languages, word by word."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.guard.mutation.mutation import Mutation, Rewrite

_CHANGED = 0.85  # of the words for which there are others


@cache
def _words() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_data(Path(__file__).with_name("wording.yaml"))
    return data


def _pattern(words: Mapping[str, Any]) -> re.Pattern[str]:
    longest = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest))})\b", re.IGNORECASE)


def _synonyms(text: str, rng: random.Random) -> str:
    words: Mapping[str, Sequence[str]] = _words()["synonyms"]

    def other(found: re.Match[str]) -> str:
        word = found.group()
        if rng.random() > _CHANGED:
            return word
        chosen = rng.choice(words[word.lower()])
        return chosen.capitalize() if word[0].isupper() else chosen

    return _pattern(words).sub(other, text)


def _framed(frames: Sequence[str]) -> Rewrite:
    return lambda text, rng: rng.choice(frames).replace("{text}", text)


def _translated(words: Mapping[str, str]) -> Rewrite:
    pattern = _pattern(words)

    def rewrite(text: str, _: random.Random) -> str:
        def other(found: re.Match[str]) -> str:
            word = words[found.group().lower()]
            return word.capitalize() if found.group()[0].isupper() else word

        return pattern.sub(other, text)

    return rewrite


def _all() -> Iterator[Mutation]:
    yield Mutation("paraphrase/synonyms", "in other words", _synonyms)
    for name, frames in _words()["frames"].items():
        yield Mutation(f"paraphrase/{name}", f"in a frame of {name} words", _framed(frames))
    for name, words in _words()["languages"].items():
        yield Mutation(f"language/{name}", f"in {name.capitalize()}, word by word", _translated(words))


WORDING = tuple(_all())
