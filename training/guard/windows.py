"""What of a long text is learned: token windows, with the label that fits each."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer
from training.guard.example import UNKNOWN, Example

LENGTH = 96  # tokens, with the two that mark start and end; as long as `assay.guard.classify` cuts them
_CLS, _SEP = 101, 102
_HEAD_OF_LONG = 0.6
_LONG_ATTACKS = frozenset({"in-the-wild", "pyrit-wild"})  # attacks all through: another window counts too


@dataclass(frozen=True, slots=True)
class Window:
    """Token ids and the labels of what they say."""

    ids: tuple[int, ...]
    labels: tuple[float, float, float]


def cut(examples: list[Example], tokenizer: Tokenizer, rng: random.Random) -> list[Window]:
    """One or two windows of each example."""
    encoded = tokenizer.encode_batch([one.text[:20_000] for one in examples], add_special_tokens=False)
    return [window for one, tokens in zip(examples, encoded, strict=True) for window in _of(one, tokens, rng)]


def _of(example: Example, tokens: Encoding, rng: random.Random) -> list[Window]:
    room, count = LENGTH - 2, len(tokens.ids)
    if count <= room:
        return [_window(tokens, 0, count, example.labels)]
    if example.payload is None:
        return [_window(tokens, at, at + room, example.labels) for at in _places(example, count, room, rng)]
    first, last = _tokens_of(tokens, example.payload)
    low, high = max(0, last - room), min(first, count - room)
    at = rng.randint(min(low, high), max(low, high))
    found = [_window(tokens, at, at + room, example.labels)]
    for other in (0, count - room):
        if other + room <= first or other >= last:
            found.append(_window(tokens, other, other + room, (0.0, 0.0, UNKNOWN)))
            break
    return found


def _places(example: Example, count: int, room: int, rng: random.Random) -> list[int]:
    attack = example.injection > 0 or example.jailbreak > 0
    head = 0 if attack or rng.random() < _HEAD_OF_LONG else rng.randint(0, count - room)
    second = rng.randint(0, count - room)
    return (
        [head] if (attack and example.source not in _LONG_ATTACKS) or rng.random() < 0.5 else [head, second]
    )


def _tokens_of(tokens: Encoding, span: tuple[int, int]) -> tuple[int, int]:
    inside = [at for at, (start, end) in enumerate(tokens.offsets) if start < span[1] and end > span[0]]
    return (inside[0], inside[-1] + 1) if inside else (0, 1)


def _window(tokens: Encoding, start: int, end: int, labels: tuple[float, float, float]) -> Window:
    return Window((_CLS, *tokens.ids[start:end], _SEP), labels)
