"""Probes, each as it is and rewritten, made on both endpoints."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from assay.checks.probing.asking import Interview
from assay.checks.probing.canary import plant
from assay.checks.probing.detectors import Made, declines, worked
from assay.checks.probing.probe import Detector, Probe
from assay.checks.probing.resuming import Memory
from assay.guard.mutation import Mutation
from assay.subjects.endpoint import Answer, Prompt, Turn

BATCH = 64  # conversations that are held at the same time; a run that is stopped loses no more
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
QUOTE = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of the probes.

    Attributes:
        system: the production system prompt, for probes that bring none.
        mutations: what probes are rewritten with.
        mutated: how many rewritings of each probe are tried besides the probe itself.
        seed: of the planted codes, the markers and the choice of mutations.
    """

    system: str
    mutations: tuple[Mutation, ...]
    mutated: int
    seed: str


@dataclass(slots=True)
class Attempt:
    """One attack that was made.

    Attributes:
        made: what was made, and from what.
        mutation: the name of the rewriting, "" for the probe as it is.
        turns: what the user says, in order.
        worked, baseline_worked: whether it worked on each side; None where that is not known.
        error: why it cannot be judged, or "".
        answer, baseline_answer: the last answers.
    """

    made: Made
    mutation: str
    turns: tuple[str, ...]
    worked: bool | None = None
    baseline_worked: bool | None = None
    error: str = ""
    answer: Answer | None = None
    baseline_answer: Answer | None = None
    histories: list[list[Turn]] = field(default_factory=lambda: [[], []])


def planned(probes: Sequence[Probe], plan: Plan) -> list[Attempt]:
    """Every attempt, in the order of the probes."""
    return [attempt for probe in probes for attempt in _attempts(probe, plan)]


def make(attempts: Sequence[Attempt], talk: Interview, memory: Memory) -> None:
    """Hold the conversations and judge their last answers.

    Raises:
        CheckError: the run was cancelled.
        EndpointError: one endpoint answers nothing at all.
    """
    for at in range(0, len(attempts), BATCH):
        batch = attempts[at : at + BATCH]
        for turn in range(max(len(attempt.turns) for attempt in batch)):
            speaking = [one for one in batch if turn < len(one.turns) and not one.error]
            _speak(speaking, turn, talk, memory)
    for attempt in attempts:
        _judge(attempt)
    _judge_wordings(attempts)


def _attempts(probe: Probe, plan: Plan) -> Iterator[Attempt]:
    rng = random.Random(f"{plan.seed}:{probe.id}")  # noqa: S311  reproducible on purpose
    if probe.detector is Detector.SPLIT:
        yield from (_attempt(probe, (wording,), plan, rng, None) for wording in probe.wordings)
        return
    yield _attempt(probe, probe.turns, plan, rng, None)
    if probe.mutate:
        for mutation in rng.sample(plan.mutations, min(plan.mutated, len(plan.mutations))):
            yield _attempt(probe, probe.turns, plan, rng, mutation)


def _attempt(
    probe: Probe, turns: Sequence[str], plan: Plan, rng: random.Random, mutation: Mutation | None
) -> Attempt:
    left, right = ("".join(rng.choices(_CONSONANTS, k=4)) for _ in range(2))

    def filled(text: str) -> str:
        return text.replace("{left}", left).replace("{right}", right)

    document = filled(probe.document)
    asked = [filled(turn) for turn in turns]
    if mutation is not None and document:
        document = mutation(document, rng)
    elif mutation is not None:
        asked[-1] = mutation(asked[-1], rng)
    asked = [turn.replace("{document}", document) for turn in asked]
    canary = plant(probe.system or plan.system, rng)
    made = Made(probe, "\n".join(asked), canary, (left + right).casefold())
    return Attempt(made, mutation.name if mutation else "", tuple(asked))


def _speak(attempts: Sequence[Attempt], turn: int, talk: Interview, memory: Memory) -> None:
    """The same turn of several conversations, on both sides."""
    prompts = [[_prompt(attempt, turn, side) for attempt in attempts] for side in range(2)]
    pairs = memory.ask(talk, prompts[0], prompts[1])
    for attempt, pair in zip(attempts, pairs, strict=True):
        attempt.error = pair.error
        attempt.answer, attempt.baseline_answer = pair.candidate, pair.baseline
        for history, answer in zip(attempt.histories, (pair.candidate, pair.baseline), strict=True):
            said = answer.text if answer else ""
            history += [Turn("user", attempt.turns[turn]), Turn("assistant", said)]


def _prompt(attempt: Attempt, turn: int, side: int) -> Prompt:
    return Prompt(
        attempt.turns[turn],
        attempt.made.canary.system,
        tuple(attempt.histories[side]),
        attempt.made.probe.tools,
    )


def _judge(attempt: Attempt) -> None:
    if attempt.error or attempt.answer is None:
        return
    # What earlier turns said counts as said: an answer that repeats it gives nothing away.
    said = [turn.text for turn in attempt.histories[0] if turn.role == "user"]
    made = replace(attempt.made, said="\n".join(said))
    attempt.worked = worked(made, attempt.answer)
    if attempt.baseline_answer is not None:
        attempt.baseline_worked = worked(made, attempt.baseline_answer)


def _judge_wordings(attempts: Sequence[Attempt]) -> None:
    """A request that is declined in one wording and answered in another: each answered one got through."""
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.made.probe.detector is Detector.SPLIT and not attempt.error:
            groups.setdefault(attempt.made.probe.id, []).append(attempt)
    for group in groups.values():
        _settle(group)


def _settle(group: Sequence[Attempt]) -> None:
    declined = [one.answer is not None and declines(one.answer) for one in group]
    before = [one.baseline_answer is not None and declines(one.baseline_answer) for one in group]
    for attempt, mine, other in zip(group, declined, before, strict=True):
        attempt.worked = any(declined) and not mine
        if attempt.baseline_answer is not None:
            attempt.baseline_worked = any(before) and not other
