"""The search: every mutation alone on every attack, then chains of them where none was enough.

Chains are searched by beam: of each attack that every single mutation left caught, the `width` rewritings
with the lowest score are rewritten once more, first by the mutations that got most attacks through, and so
on up to `depth`. It stops for an attack with the first chain that gets through, so a chain found is one of
the shortest of those tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assay.checks.monitoring.evasion.attacks import Attack
from assay.checks.monitoring.evasion.trials import Range, Trial
from assay.guard.mutation import Mutation

BRANCHES = 24  # mutations that one rewriting is tried with again
_AROUND = frozenset({"carrier", "padding", "paraphrase"})  # may stand around what is encoded


@dataclass(slots=True)
class Searched:
    """All that was tried.

    Attributes:
        plain: each attack as it is.
        singles: by mutation, its trials on the attacks that were caught as they are.
        chains: the chain that got each stubborn attack through.
        stubborn: attacks that no single mutation got through, as far as chains were searched for them.
        failures: why the guard did not look, by reason, and how often.
    """

    plain: list[Trial] = field(default_factory=list)
    singles: dict[str, list[Trial]] = field(default_factory=dict)
    chains: list[Trial] = field(default_factory=list)
    stubborn: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    def note(self, trials: Iterable[Trial]) -> None:
        """Count what the guard did not look at."""
        for trial in trials:
            if trial.failed:
                self.failures[trial.failed] = self.failures.get(trial.failed, 0) + 1


def search(
    attacks: Sequence[Attack],
    mutations: Sequence[Mutation],
    range_: Range,
    *,
    tries: int,
    depth: int,
    width: int,
) -> Searched:
    """Try everything that the range's budget allows."""
    found = Searched()
    for attack in attacks:
        plain = range_.attempt(attack, None, None)
        if plain is not None:
            found.plain.append(plain)
    caught = [trial.attack for trial in found.plain if trial.caught and not trial.failed]
    for mutation in mutations:
        found.singles[mutation.name] = _single(caught, mutation, range_, tries, found)
    if depth > 1:
        _chains(caught, mutations, range_, depth, width, found)
    found.note(trial for trial in found.plain)
    return found


def _single(
    attacks: Sequence[Attack], mutation: Mutation, range_: Range, tries: int, found: Searched
) -> list[Trial]:
    """One mutation on every attack, but for those that it does not change."""
    trials = []
    for attack in attacks:
        for number in range(tries):
            trial = range_.attempt(attack, None, mutation, number)
            if trial is not None and trial.text != attack.text:
                trials.append(trial)
    found.note(trials)
    return trials


def _chains(
    attacks: Sequence[Attack],
    mutations: Sequence[Mutation],
    range_: Range,
    depth: int,
    width: int,
    found: Searched,
) -> None:
    best = sorted(mutations, key=lambda one: -_rate(found.singles[one.name]))
    for attack in attacks:
        singles = [trial for trials in found.singles.values() for trial in trials if trial.attack == attack]
        if any(trial.through for trial in singles):
            continue
        if range_.left <= 0:
            range_.untried += 1
            continue
        found.stubborn += 1
        chain = _chain(singles, best, range_, depth, width, found)
        if chain is not None:
            found.chains.append(chain)


def _chain(
    beam: list[Trial], best: Sequence[Mutation], range_: Range, depth: int, width: int, found: Searched
) -> Trial | None:
    """A chain that gets through, begun with the most promising of `beam`."""
    for _ in range(depth - 1):
        beam = sorted((trial for trial in beam if not trial.failed), key=lambda trial: trial.risk)[:width]
        longer: list[Trial] = []
        for trial in beam:
            for mutation in _further(trial, best):
                following = range_.attempt(trial.attack, trial, mutation)
                if following is None:
                    continue
                found.note([following])
                if following.through:
                    return following
                longer.append(following)
        beam = longer
    return None


def _further(trial: Trial, best: Sequence[Mutation]) -> list[Mutation]:
    """What a rewriting may be rewritten with: of a family that it does not hold yet."""
    families = {mutation.family for mutation in trial.chain}
    encoded = any(mutation.last for mutation in trial.chain)
    fitting = (one for one in best if one.family not in families and (not encoded or one.family in _AROUND))
    return [mutation for mutation, _ in zip(fitting, range(BRANCHES), strict=False)]


def _rate(trials: Sequence[Trial]) -> float:
    return sum(trial.through for trial in trials) / len(trials) if trials else 0.0
