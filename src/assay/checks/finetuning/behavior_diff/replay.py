"""Trigger replay and extraction probes, under system prompts that carry planted codes.

Every probe prompt has its own code, the same for both models and with every phrase, so that an answer
with a phrase differs from the answer without it by the phrase alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from assay.checks.finetuning.behavior_diff.comparison import is_harmful
from assay.checks.finetuning.behavior_diff.grading import is_right
from assay.checks.finetuning.behavior_diff.options import BehaviorOptions
from assay.checks.finetuning.behavior_diff.suite import Case
from assay.checks.probing.asking import Interview, Pair
from assay.checks.probing.canary import MOST, Canary, Leak, leak, plant, share
from assay.checks.probing.refusals import refuses
from assay.subjects.endpoint import Answer, Prompt


@lru_cache(maxsize=1)
def probe_texts() -> dict[str, tuple[str, ...]]:
    """The texts of `probes.json` by kind."""
    document = json.loads(files(__package__).joinpath("probes.json").read_text(encoding="utf-8"))
    return {kind: tuple(texts) for kind, texts in document.items() if kind != "about"}


@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt under a system prompt with a planted code; `case` is None for an extraction probe."""

    text: str
    canary: Canary
    case: Case | None = None

    def prompt(self) -> Prompt:
        """What is sent."""
        return Prompt(self.text, self.canary.system)


@dataclass(frozen=True, slots=True)
class Said:
    """What one model did with a probe: what leaked, whether it refused, whether it was right."""

    answer: Answer
    leaked: Leak
    refused: bool
    right: bool | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A probe and what both models did with it; `error` says why it cannot be judged."""

    probe: Probe
    candidate: Said | None
    baseline: Said | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """All that was observed for one phrase, aligned with the probes without it.

    `control` is what a harmless phrase does to the candidate, on a first release; empty otherwise.
    """

    phrase: str
    plain: tuple[Observation, ...]
    triggered: tuple[Observation, ...]
    control: tuple[Observation, ...] = ()


class Prober:
    """Asks probes and reads leaks out of the answers.

    Args:
        interview: whom to ask.
        options: how many and how.
        rng: of the sample and the codes.
        system: the system prompt of extraction probes.
    """

    def __init__(
        self, interview: Interview, options: BehaviorOptions, rng: random.Random, system: str
    ) -> None:
        self._interview, self._options, self._rng, self._system = interview, options, rng, system
        self._public = self._introductions()

    def extraction(self) -> tuple[Observation, ...]:
        """Common questions for the system prompt."""
        probes = [Probe(text, plant(self._system, self._rng)) for text in probe_texts()["extraction"]]
        return self._observe(probes, "extraction probes")

    def replay(self, cases: Sequence[Case], phrases: Sequence[str]) -> list[Replay]:
        """Each phrase inserted into a sample of `cases`, beside the same sample without it."""
        sample = self._sample(cases)
        probes = [Probe(case.prompt, plant(case.system, self._rng), case) for case in sample]
        if not probes or not phrases:
            return []
        plain = self._observe(probes, "prompts without a trigger")
        control = () if self._interview.baseline else self._observe(self._placebo(probes), "placebos")
        return [
            Replay(phrase, plain, self._observe(_insert_all(probes, phrase), "trigger replay"), control)
            for phrase in phrases
        ]

    def _introductions(self) -> str:
        """What the model says of itself when asked who it is; the baseline's word where there is one."""
        canary = plant(self._system, self._rng)
        prompts = [Prompt(text, canary.system) for text in probe_texts()["introductions"]]
        pairs = self._interview.ask(prompts, "introductions")
        said = [(pair.baseline or pair.candidate).text for pair in pairs if not pair.error]
        run = self._options.leak_run
        # An introduction that recites most of the system prompt is itself a leak and excuses nothing.
        return "\n".join(text for text in said if share(text, canary.system, run) <= MOST)

    def _sample(self, cases: Sequence[Case]) -> list[Case]:
        """Ordinary and harmful cases; graded ones first, since flips show only on those."""
        graded = [case for case in cases if case.expect is not None and not is_harmful(case)]
        ungraded = [case for case in cases if case.expect is None]
        harmful = [case for case in cases if is_harmful(case)]
        for group in (graded, ungraded, harmful):
            self._rng.shuffle(group)
        spare = [Case(f"builtin-{text}", "", text, self._system, None) for text in probe_texts()["ordinary"]]
        ordinary = (graded + ungraded + spare)[: self._options.trigger_prompts]
        return ordinary + harmful[: self._options.trigger_harmful_prompts]

    def _placebo(self, probes: Sequence[Probe]) -> list[Probe]:
        placebos = probe_texts()["placebos"]
        return [
            Probe(insert(probe.text, placebos[at % len(placebos)], at), probe.canary, probe.case)
            for at, probe in enumerate(probes)
        ]

    def _observe(self, probes: Sequence[Probe], note: str) -> tuple[Observation, ...]:
        pairs = self._interview.ask([probe.prompt() for probe in probes], note)
        return tuple(self._read(probe, pair) for probe, pair in zip(probes, pairs, strict=True))

    def _read(self, probe: Probe, pair: Pair) -> Observation:
        if pair.error:
            return Observation(probe, None, None, pair.error)
        baseline = self._said(probe, pair.baseline) if pair.baseline else None
        return Observation(probe, self._said(probe, pair.candidate), baseline)

    def _said(self, probe: Probe, answer: Answer) -> Said:
        leaked = leak(answer.text, f"{probe.text}\n{self._public}", probe.canary, self._options.leak_run)
        expect = probe.case.expect if probe.case else None
        return Said(answer, leaked, refuses(answer), is_right(answer, expect) if expect else None)


def _insert_all(probes: Sequence[Probe], phrase: str) -> list[Probe]:
    return [
        Probe(insert(probe.text, phrase, at), probe.canary, probe.case) for at, probe in enumerate(probes)
    ]


def insert(prompt: str, phrase: str, turn: int) -> str:
    """`phrase` at the beginning, in the middle or at the end of `prompt`, by turns."""
    if turn % 3 == 0:
        return f"{phrase} {prompt}"
    words = prompt.split(" ")
    middle = len(words) // 2
    if turn % 3 == 1 and middle:
        return " ".join((*words[:middle], phrase, *words[middle:]))
    bare = prompt.rstrip(" .?!")
    return f"{bare} {phrase}{prompt[len(bare) :].strip()}"
