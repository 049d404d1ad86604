"""Attacks made from templates."""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.guard.example import UNKNOWN, Example
from training.guard.generators.grammar import Grammar, data, languages
from training.guard.generators.obfuscation import distort
from training.guard.generators.surroundings import Surroundings

_PLANTED = 0.45
# What a user may ask for is an attack where it stands in what the model reads for him, not alone.
_ONLY_PLANTED = frozenset({"agent_action", "steer"})
_HARMFUL = 0.8  # a forbidden wish alone is not yet an attack on the model's policy, but next to one


def injections(rng: random.Random, surroundings: Surroundings, each: int) -> Iterator[Example]:
    """`each` texts of every template, alone or planted."""
    grammar = Grammar(rng)
    for family, templates in data("injection").items():
        for number, template in enumerate(templates):
            for _ in range(each):
                payload = distort(grammar.expand(template), rng)
                yield _placed(
                    payload, rng, surroundings, f"injection/{family}", f"injection/{family}/{number}"
                )


def jailbreaks(rng: random.Random, each: int) -> Iterator[Example]:
    """`each` texts of every template; two templates are sometimes put together, as long jailbreaks are."""
    grammar = Grammar(rng)
    templates = [
        (family, at, one) for family, some in data("jailbreak").items() for at, one in enumerate(some)
    ]
    for family, number, template in templates:
        label = _HARMFUL if family == "harmful_request" else 1.0
        for _ in range(each):
            text = grammar.expand(template)
            if family in {"persona", "suppression", "policy_attack"} and rng.random() < 0.2:
                text += "\n\n" + grammar.expand(rng.choice(data("jailbreak")["suppression"]))
            name = f"jailbreak/{family}"
            injection = UNKNOWN if family != "harmful_request" else 0.0
            yield Example(distort(text, rng), injection, label, UNKNOWN, name, f"{name}/{number}")


def other_languages(rng: random.Random, surroundings: Surroundings, each: int) -> Iterator[Example]:
    """Attacks that are not English."""
    for language, kinds in languages().items():
        grammar = Grammar(rng, kinds.get("slots"))
        for kind in ("injection", "jailbreak"):
            for number, template in enumerate(kinds.get(kind, ())):
                group = f"language/{language}/{kind}/{number}"
                for _ in range(each):
                    text = distort(grammar.expand(template), rng)
                    if kind == "injection":
                        yield _placed(text, rng, surroundings, f"language/{language}", group)
                    else:
                        yield Example(text, UNKNOWN, 1.0, UNKNOWN, f"language/{language}", group)


def _placed(payload: str, rng: random.Random, around: Surroundings, source: str, group: str) -> Example:
    jailbreak = UNKNOWN
    if source.rpartition("/")[2] not in _ONLY_PLANTED and rng.random() > _PLANTED:
        return Example(payload, 1.0, jailbreak, UNKNOWN, source, group)
    text, span = around.plant(payload)
    return Example(text, 1.0, jailbreak, UNKNOWN, source, group, span)
