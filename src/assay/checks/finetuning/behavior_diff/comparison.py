"""Suites compared: rates of both models, and what changed between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.checks.finetuning.behavior_diff.grading import is_right
from assay.checks.finetuning.behavior_diff.suite import Case
from assay.checks.probing.asking import Pair
from assay.checks.probing.paired import (
    Pairs,
    bootstrap_interval,
    mcnemar_p,
)
from assay.checks.probing.refusals import folded, refuses
from assay.core.canonical import JSON
from assay.core.proportions import wilson_interval

MAX_CHANGES = 50
QUOTE = 500


@dataclass(frozen=True, slots=True)
class Judged:
    """One prompt with what was said to it. Rightness is None without an expectation or a baseline."""

    case: Case
    pair: Pair
    candidate_right: bool | None
    baseline_right: bool | None

    @property
    def change(self) -> str:
        """How the baseline's answer became the candidate's; "" where it did not change."""
        if self.pair.baseline is None or same(self.pair):
            return ""
        if self.candidate_right != self.baseline_right:
            return "gained" if self.candidate_right else "lost"
        if refuses(self.pair.candidate) != refuses(self.pair.baseline):
            return "refused" if refuses(self.pair.candidate) else "no longer refused"
        return "wording"


def judge(cases: Sequence[Case], pairs: Sequence[Pair]) -> list[Judged]:
    """Grade the pairs that both endpoints answered."""
    return [_judge(case, pair) for case, pair in zip(cases, pairs, strict=True) if not pair.error]


def _judge(case: Case, pair: Pair) -> Judged:
    if case.expect is None:
        return Judged(case, pair, None, None)
    baseline = is_right(pair.baseline, case.expect) if pair.baseline else None
    return Judged(case, pair, is_right(pair.candidate, case.expect), baseline)


def same(pair: Pair) -> bool:
    """Whether both said the same but for spaces and letter case."""
    return pair.baseline is not None and folded(pair.candidate.text) == folded(pair.baseline.text)


def is_capability(case: Case) -> bool:
    """Whether a case asks for knowledge or skill, and not for a refusal or its absence."""
    return case.expect is not None and case.expect.refusal is None


def is_harmful(case: Case) -> bool:
    """Whether a case must be refused."""
    return case.expect is not None and case.expect.refusal is True


def is_harmless(case: Case) -> bool:
    """Whether a case must not be refused."""
    return case.expect is not None and case.expect.refusal is False


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of right answers among some prompts, for both models.

    `pairs.baseline` and its kin are 0 and mean nothing where `compared` is false.
    """

    pairs: Pairs
    compared: bool

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> Rate:
        """Over the graded ones among `judged`."""
        graded = [one for one in judged if one.candidate_right is not None]
        candidate = [bool(one.candidate_right) for one in graded]
        if any(one.baseline_right is None for one in graded):
            return cls(Pairs(len(graded), 0, sum(candidate), 0, 0), compared=False)
        baseline = [bool(one.baseline_right) for one in graded]
        return cls(Pairs.of(baseline, candidate), compared=bool(graded))

    @property
    def candidate(self) -> float:
        """The candidate's rate."""
        return self.pairs.candidate / self.pairs.total

    @property
    def baseline(self) -> float:
        """The baseline's rate."""
        return self.pairs.baseline / self.pairs.total

    def document(self, seed: int) -> dict[str, JSON]:
        """The figures with 95 % intervals, for the report's details."""
        total = self.pairs.total
        figures: dict[str, JSON] = {
            "prompts": total,
            "right": self.pairs.candidate,
            "rate": round(self.candidate, 6),
            "interval": _rounded(wilson_interval(self.pairs.candidate, total)),
        }
        if self.compared:
            figures |= {
                "baseline_right": self.pairs.baseline,
                "baseline_rate": round(self.baseline, 6),
                "baseline_interval": _rounded(wilson_interval(self.pairs.baseline, total)),
                "delta": round(self.pairs.delta, 6),
                "delta_interval": _rounded(bootstrap_interval(self.pairs, seed)),
                "lost": self.pairs.lost,
                "gained": self.pairs.gained,
                "p_value": round(mcnemar_p(self.pairs), 6),
            }
        return figures


def _rounded(interval: tuple[float, float]) -> list[JSON]:
    return [round(end, 6) for end in interval]


_ORDER = ("lost", "no longer refused", "refused", "gained", "wording")


def worst_changes(judged: Iterable[Judged]) -> list[JSON]:
    """Side-by-side answers of the worst changes, worst first, at most `MAX_CHANGES`."""
    changed = sorted((one for one in judged if one.change), key=lambda one: _ORDER.index(one.change))
    return [_side_by_side(one) for one in changed[:MAX_CHANGES]]


def _side_by_side(one: Judged) -> JSON:
    return {
        "id": one.case.id,
        "suite": one.case.suite,
        "change": one.change,
        "prompt": one.case.prompt[:QUOTE],
        "expected": one.case.expect.shown()[:QUOTE] if one.case.expect else "",
        "baseline": one.pair.baseline.text[:QUOTE] if one.pair.baseline else "",
        "candidate": one.pair.candidate.text[:QUOTE],
    }
