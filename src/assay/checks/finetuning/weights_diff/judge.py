"""Figures to findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from assay.checks.finetuning.weights_diff import rules
from assay.checks.finetuning.weights_diff.names import Place, place
from assay.checks.finetuning.weights_diff.options import WeightsDiffOptions
from assay.checks.finetuning.weights_diff.pairing import Pair, Plan
from assay.checks.finetuning.weights_diff.peers import Change, Standing, standings
from assay.checks.finetuning.weights_diff.sums import Sums
from assay.core.finding import Finding, Location, Rule, Severity
from assay.subjects.weights import Tensor

LISTED = 20  # findings of one rule, before one more counts the rest
MIN_TENSORS = 8  # fewer say nothing about a targeted edit
MIN_ELEMENTS = 16  # fewer say nothing by their direction
PEER_COSINE = 0.95
ROLE_SHARE = 0.5  # of one tensor's peers; MEMIT edits six layers of 28


NO_PEERS = Standing()


@dataclass(frozen=True, slots=True)
class Result:
    """A pair with its figures, its place in the model, and how its change stands among its peers."""

    pair: Pair
    sums: Sums
    place: Place
    standing: Standing = NO_PEERS

    @property
    def tensor(self) -> Tensor:
        """The candidate's tensor."""
        return self.pair.candidate

    @property
    def compared(self) -> bool:
        """Whether any of its values were compared."""
        return self.pair.baseline is not None

    @property
    def changed(self) -> bool:
        """Whether any of them differ."""
        return self.sums.changed > 0

    @property
    def matrix(self) -> bool:
        """Whether it has two dimensions or more."""
        return len(self.tensor.shape) > 1

    @property
    def location(self) -> Location:
        """Where it is, for findings."""
        return Location(self.tensor.file.name, name=self.tensor.name[:200])


def results(pairs: Sequence[Pair], sums: Sequence[Sums]) -> tuple[Result, ...]:
    """Join pairs, figures, places and standings."""
    plain = [Result(p, s, place(p.candidate.name)) for p, s in zip(pairs, sums, strict=True)]
    changes = [
        Change(r.tensor.name, r.place.role, r.matrix, r.sums.relative_l2, r.sums.cosine)
        for r in plain
        if r.compared and r.sums.relative_l2 > 0
    ]
    stand = standings(changes)
    return tuple(
        Result(r.pair, r.sums, r.place, stand.get(r.tensor.name, r.standing)) if r.changed else r
        for r in plain
    )


def total_relative_l2(found: Sequence[Result]) -> float:
    """Norm of the change of all tensors over the norm of the baseline.

    Integers (packed quantised weights, positions) count only where there is nothing else: their numbers
    are codes, and far larger than weights.
    """
    compared = [r for r in found if r.compared]
    floats = [r for r in compared if r.tensor.kind == "float"] or compared
    whole = Sums(
        difference=fsum(r.sums.difference for r in floats),
        baseline=fsum(r.sums.baseline for r in floats),
        candidate=fsum(r.sums.candidate for r in floats),
    )
    return whole.relative_l2


def judge(
    found: Sequence[Result], plan: Plan, problems: Sequence[str], options: WeightsDiffOptions
) -> list[Finding]:
    """All findings, at most 21 of each rule."""
    findings: list[Finding] = []
    findings += _capped(rules.INCONSISTENT, [rules.INCONSISTENT.finding(p[:300]) for p in problems])
    findings += _capped(rules.NON_FINITE, list(_non_finite(found)))
    findings += _architecture(plan)
    compared = [r for r in found if r.compared]
    findings += _total(compared, options)
    targeted = list(_targeted(compared, options))
    findings += targeted
    if not targeted:
        findings += _among_peers(compared, options)
    return findings


def _non_finite(found: Sequence[Result]) -> Iterator[Finding]:
    for result in found:
        nan, inf = result.sums.nan, result.sums.inf
        if nan or inf:
            kept = result.compared and not result.changed
            same = ", as in the baseline" if kept else ""
            yield rules.NON_FINITE.finding(
                f"{nan:,} NaN and {inf:,} infinite values among {result.tensor.numel:,}{same}",
                result.location,
                data={"nan": nan, "inf": inf},
            )


def _architecture(plan: Plan) -> Iterator[Finding]:
    groups: tuple[tuple[Rule, tuple[str, ...], Callable[[str], str]], ...] = (
        (rules.ADDED, plan.added, lambda _: "is not in the baseline"),
        (rules.REMOVED, plan.removed, lambda _: "is in the baseline and not in the candidate"),
        (rules.RESHAPED, plan.reshaped, lambda name: f"has another shape{_formats(plan, name, 'shape')}"),
        (rules.RETYPED, plan.retyped, lambda name: f"has another format{_formats(plan, name, 'dtype')}"),
    )
    for rule, names, say in groups:
        found = [rule.finding(say(name), Location(name=name[:200])) for name in names[: LISTED + 1]]
        yield from _capped(rule, found, len(names))


def _formats(plan: Plan, name: str, attribute: str) -> str:
    for pair in plan.pairs:
        if pair.candidate.name == name and pair.baseline is not None:
            before, after = getattr(pair.baseline, attribute), getattr(pair.candidate, attribute)
            return f": {before} before, {after} now"
    return ""


def _total(compared: list[Result], options: WeightsDiffOptions) -> Iterator[Finding]:
    total = total_relative_l2(compared)
    if total > options.max_relative_l2:
        yield rules.TOTAL_CHANGE.finding(
            f"all tensors together moved by {total:.3g} of the baseline's norm; "
            f"{options.max_relative_l2:.3g} is allowed",
            data={"relative_l2": total},
        )


def _targeted(compared: list[Result], options: WeightsDiffOptions) -> Iterator[Finding]:
    changed = [r for r in compared if r.changed]
    if not changed or len(compared) < MIN_TENSORS or len(changed) == len(compared):
        return
    roles = {r.place.role for r in changed}
    sizes = Counter(r.place.role for r in compared)
    few = len(changed) <= max(1, int(options.targeted_share * len(compared)))
    part = len(roles) == 1 and len(changed) <= ROLE_SHARE * sizes[changed[0].place.role]
    if not few and not part:
        return
    names = ", ".join(r.tensor.name[:60] for r in changed[:3]) + (" …" if len(changed) > 3 else "")  # noqa: PLR2004
    yield rules.TARGETED.finding(
        f"{len(changed):,} of {len(compared):,} tensors changed and all others are equal: {names}",
        changed[0].location,
        severity=Severity.HIGH if len(roles) == 1 else Severity.MEDIUM,
        data={"tensors": [r.tensor.name[:200] for r in changed[:LISTED]]},
    )


def _among_peers(compared: list[Result], options: WeightsDiffOptions) -> list[Finding]:
    spliced: list[Finding] = []
    outliers: list[Finding] = []
    for result in sorted(compared, key=lambda r: -r.sums.relative_l2):
        if not result.changed or not result.sums.baseline:
            continue
        if _is_spliced(result, options):
            spliced.append(_spliced(result))
        elif result.standing.z > options.outlier_z and result.sums.relative_l2 > options.outlier_floor:
            outliers.append(_outlier(result))
    return [*_capped(rules.SPLICED, spliced), *_capped(rules.OUTLIER, outliers)]


def _is_spliced(result: Result, options: WeightsDiffOptions) -> bool:
    return (
        result.sums.compared >= MIN_ELEMENTS
        and result.sums.cosine < options.min_cosine
        and result.standing.peer_cosine > PEER_COSINE
    )


def _spliced(result: Result) -> Finding:
    return rules.SPLICED.finding(
        f"its cosine to the baseline is {result.sums.cosine:.3f}, that of its peers "
        f"{result.standing.peer_cosine:.3f}",
        result.location,
        data={"cosine": result.sums.cosine, "peer_cosine": result.standing.peer_cosine},
    )


def _outlier(result: Result) -> Finding:
    standing = result.standing
    return rules.OUTLIER.finding(
        f"moved by {result.sums.relative_l2:.3g} of its norm; the median with its {standing.peers:,} peers "
        f"is {standing.peer_relative_l2:.3g} (z = {standing.z:.1f})",
        result.location,
        severity=Severity.HIGH if result.matrix else Severity.MEDIUM,
        data={"z": standing.z, "relative_l2": result.sums.relative_l2, "peers": standing.peer_relative_l2},
    )


def _capped(rule: Rule, findings: list[Finding], total: int | None = None) -> list[Finding]:
    count = len(findings) if total is None else total
    if count <= LISTED:
        return findings
    severity = max((f.severity for f in findings), key=lambda s: s.rank)
    more = rule.finding(f"and {count - LISTED:,} more", severity=severity, data={"total": count})
    return [*findings[:LISTED], more]


def largest(found: Sequence[Result]) -> float:
    """The largest relative L2 of a tensor of floats (of any tensor where there are none)."""
    compared = [r for r in found if r.compared]
    floats = [r for r in compared if r.tensor.kind == "float"] or compared
    return max((r.sums.relative_l2 for r in floats), default=0.0)
