"""One rewritten attack against the guard."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from assay.checks.monitoring.evasion.attacks import Attack
from assay.guard.guard import Guard
from assay.guard.mutation import Mutation
from assay.guard.verdict import Action, LayerState, Source

MAX_TEXT = 60_000  # characters; a chain that grows longer is not followed


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one text.

    Attributes:
        attack: what it began as.
        chain: the mutations that made it, in order.
        text: what the guard saw.
        caught: it was noticed.
        risk: the guard's highest score, 0..1; lower is closer to getting through.
        failed: why the guard did not look with all of its layers, or "".
    """

    attack: Attack
    chain: tuple[Mutation, ...]
    text: str
    caught: bool
    risk: float
    failed: str = ""

    @property
    def through(self) -> bool:
        """It got past a guard that looked."""
        return not self.caught and not self.failed


@dataclass(slots=True)
class Range:
    """Where trials are made: the guard, and how much may still be asked of it.

    Attributes:
        guard: judges.
        route: by which route.
        caught: the least action that counts as caught.
        left: texts that may still be judged.
        seed: of all random choices.
        watch: told after each text how many were judged.
        judged: texts that were.
        untried: texts that were not, for want of budget.
        overlong: texts that were not, because they grew too long to be rewritten further.
    """

    guard: Guard
    route: str
    caught: Action
    left: int
    seed: int
    watch: Callable[[int], None]
    judged: int = 0
    untried: int = 0
    overlong: int = 0

    def attempt(
        self, attack: Attack, before: Trial | None, mutation: Mutation | None, number: int = 0
    ) -> Trial | None:
        """Rewrite what stands so far once more, and have it judged; None where that is not to be done."""
        text = before.text if before else attack.text
        chain = before.chain if before else ()
        if mutation is not None:
            # The same choices whatever else is tried, so that one mutation's rate does not hang on another's.
            key = zlib.crc32(f"{self.seed}/{mutation.name}/{number}/{attack.text}".encode())
            text, chain = mutation(text, random.Random(key)), (*chain, mutation)  # noqa: S311  reproducible
        if len(text) > MAX_TEXT:
            self.overlong += 1
            return None
        if self.left <= 0:
            self.untried += 1
            return None
        self.left -= 1
        self.judged += 1
        verdict = self.guard.judge(text, _source(attack, chain), self.route)
        self.watch(self.judged)
        failed = next((run.reason for run in verdict.layers if run.state is LayerState.FAILED), "")
        return Trial(
            attack, chain, text, verdict.action.rank >= self.caught.rank, max(verdict.scores.values()), failed
        )


def _source(attack: Attack, chain: tuple[Mutation, ...]) -> Source:
    """A text that was put into a document comes from one."""
    carried = any(mutation.family == "carrier" for mutation in chain)
    return Source.DOCUMENT if carried else attack.source
