"""Harmless texts made from templates, most of them close to an attack; and rude and kind remarks."""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.guard.example import Example
from training.guard.generators.grammar import Grammar, data, languages
from training.guard.generators.obfuscation import distort
from training.guard.generators.surroundings import Surroundings

_PLANTED = 0.4
# What says something; a request that stands in a mail or a log line is what an injection is.
_STATEMENTS = frozenset(
    {"business", "security_topic", "document", "code", "memo", "quoted_attack", "prompt_files"}
)

_MORE = {"words": 4}  # times as many, of templates whose slots give ever other texts


def twins(rng: random.Random, surroundings: Surroundings, each: int) -> Iterator[Example]:
    """`each` texts of every harmless template, alone or planted."""
    grammar = Grammar(rng, {"filler": data("carriers")["filler"]})
    for family, templates in data("benign").items():
        for number, template in enumerate(templates):
            for _ in range(each * _MORE.get(family, 1)):
                text = distort(grammar.expand(template), rng)
                if family in _STATEMENTS and rng.random() < _PLANTED:
                    text, _ = surroundings.plant(text)
                yield Example(text, 0.0, 0.0, 0.0, f"benign/{family}", f"benign/{family}/{number}")


def other_languages(rng: random.Random, each: int) -> Iterator[Example]:
    """Harmless texts that are not English."""
    for language, kinds in languages().items():
        grammar = Grammar(rng, kinds.get("slots"))
        for number, template in enumerate(kinds["benign"]):
            for _ in range(each):
                text = distort(grammar.expand(template), rng)
                group = f"language/{language}/benign/{number}"
                yield Example(text, 0.0, 0.0, 0.0, f"language/{language}", group)


def surroundings_alone(surroundings: Surroundings, count: int) -> Iterator[Example]:
    """Mail, pages, logs with nothing planted."""
    for _ in range(count):
        yield Example(surroundings.empty(), 0.0, 0.0, 0.0, "benign/surroundings", "benign/surroundings")


def remarks(rng: random.Random, each: int) -> Iterator[Example]:
    """Rude and kind remarks, for the toxicity head."""
    rude = data("toxicity")
    grammar = Grammar(rng, rude["slots"])
    for kind, label in (("toxic", 1.0), ("clean", 0.0)):
        for number, template in enumerate(rude[kind]):
            for _ in range(each):
                text = distort(grammar.expand(template), rng)
                yield Example(text, 0.0, 0.0, label, f"toxicity/{kind}", f"toxicity/{kind}/{number}")
