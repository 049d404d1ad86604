"""From what the layers saw to what becomes of the text, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from assay.core.finding import Severity
from assay.guard.layer import Layer
from assay.guard.pii.redaction import Redactor
from assay.guard.policy import Failing, GuardPolicy, RoutePolicy, Switch
from assay.guard.scoring import head_of, join
from assay.guard.verdict import (
    HEADS,
    Action,
    Detection,
    GuardVerdict,
    LayerRun,
    LayerState,
    Reason,
    SetAside,
    Source,
)

MAX_DETECTIONS = 2_000


@dataclass(frozen=True, slots=True)
class Engine:
    """A policy with its layers; replaced as a whole."""

    policy: GuardPolicy
    layers: tuple[Layer, ...]
    absent: Mapping[str, str]
    redactor: Redactor


@dataclass(frozen=True, slots=True)
class Observation:
    """What the layers saw in a text.

    Attributes:
        engine: the policy and layers by which it was seen, which also decide.
        detections: what was seen.
        runs: what each layer did.
        unread: what was not decoded and why.
        whole: it was looked at; a text that is too long is not, and is blocked.
    """

    engine: Engine
    detections: tuple[Detection, ...]
    runs: tuple[LayerRun, ...]
    unread: tuple[str, ...]
    whole: bool = True


def decided(seen: Observation, text: str, source: Source, route: str, today: date) -> GuardVerdict:
    """What becomes of a text in which that was seen."""
    policy = seen.engine.policy
    usual = policy.route(route)
    kept, aside = _apart(seen.detections, policy, source, route, today)
    scores = join(kept)
    acts = _Acts(usual, source)
    acting = [(one, acts.of(one)) for one in kept]
    reasons = [
        *acts.reasons(),
        *_by_scores(usual, scores),
        *_by_gaps(seen, usual),
    ]
    reasons = [reason for reason in reasons if reason.action is not Action.ALLOW]
    reasons.sort(key=lambda reason: -reason.action.rank)
    action = max(
        (*acts.all(), *(reason.action for reason in reasons)),
        key=lambda act: act.rank,
        default=Action.ALLOW,
    )
    told = [pair for pair in acting if _told(*pair)]
    told = sorted(told, key=lambda pair: (pair[0].start, pair[0].end))[:MAX_DETECTIONS]
    places = merged(one for one, act in acting if act is Action.REDACT)
    return GuardVerdict(
        action=action,
        detections=tuple(one for one, _ in told),
        scores=scores,
        layers=seen.runs,
        text="" if action is Action.BLOCK else redact(text, places, seen.engine.redactor),
        gaps=tuple(_gaps(seen)),
        redacted=tuple(places),
        actions=tuple(act for _, act in told),
        reasons=tuple(reasons),
        set_aside=aside,
    )


def redact(text: str, places: Iterable[tuple[int, int, str]], redactor: Redactor) -> str:
    """The text with places replaced: (start, end, rule), in order and apart."""
    parts: list[str] = []
    at = 0
    for start, end, rule in places:
        parts += [text[at:start], redactor.replace(rule, text[start:end])]
        at = end
    return "".join([*parts, text[at:]])


def merged(detections: Iterable[Detection]) -> list[tuple[int, int, str]]:
    """The places of detections; those that overlap are one, named after the first."""
    places: list[tuple[int, int, str]] = []
    for one in sorted(detections, key=lambda one: (one.start, -one.end)):
        if places and one.start < places[-1][1]:
            start, end, rule = places[-1]
            places[-1] = (start, max(end, one.end), rule)
        else:
            places.append((one.start, one.end, one.rule))
    return places


def _apart(
    detections: Iterable[Detection], policy: GuardPolicy, source: Source, route: str, today: date
) -> tuple[list[Detection], tuple[SetAside, ...]]:
    """What counts, and what an allowance lets stay."""
    if not policy.allow:
        return list(detections), ()
    kept: list[Detection] = []
    aside: list[SetAside] = []
    for one in detections:
        entry = next((entry for entry in policy.allow if entry.covers(one, source, route, today)), None)
        if entry is None:
            kept.append(one)
        else:
            aside.append(SetAside(one, entry.reason, entry.expires))
    return kept, tuple(aside[:MAX_DETECTIONS])


class _Acts:
    """What becomes of detections: alike for all of one rule, severity and score, and decided once."""

    def __init__(self, policy: RoutePolicy, source: Source) -> None:
        self._policy, self._source = policy, source
        self._known: dict[tuple[str, Severity, float], tuple[Action, str]] = {}

    def of(self, one: Detection) -> Action:
        """What becomes of a detection."""
        kind = (one.rule, one.severity, one.score)
        if kind not in self._known:
            self._known[kind] = _action(self._policy, one, self._source)
        return self._known[kind][0]

    def all(self) -> Iterator[Action]:
        """Everything that was decided."""
        return (action for action, _ in self._known.values())

    def reasons(self) -> Iterable[Reason]:
        """Why, rule by rule; where scores decided, those of the heads tell."""
        return dict.fromkeys(Reason(act, why, kind[0]) for kind, (act, why) in self._known.items() if why)


def _action(policy: RoutePolicy, one: Detection, source: Source) -> tuple[Action, str]:
    """What becomes of a detection, and why; "" where its score decided."""
    decision = policy.decision(one, source)
    if decision is not None:
        return decision
    head = head_of(one.rule)
    return (_by_score(policy, head, one.score), "") if head else (Action.FLAG, "no action is set for it")


def _by_score(policy: RoutePolicy, head: str, score: float) -> Action:
    threshold = policy.threshold(head)
    if score >= threshold.block:
        return Action.BLOCK
    return Action.FLAG if score >= threshold.flag else Action.ALLOW


def _by_scores(policy: RoutePolicy, scores: Mapping[str, float]) -> Iterator[Reason]:
    for head in HEADS:
        action = _by_score(policy, head, scores[head])
        if action is not Action.ALLOW:
            threshold = policy.threshold(head)
            bound = threshold.block if action is Action.BLOCK else threshold.flag
            yield Reason(action, f"the score of {head} is {scores[head]:.2f}, and {bound:.2f} is enough")


def _by_gaps(seen: Observation, policy: RoutePolicy) -> Iterator[Reason]:
    """What was not looked at."""
    if not seen.whole:
        yield Reason(Action.BLOCK, "the text is longer than what is judged")
    elif seen.unread:
        yield Reason(policy.unread, f"not decoded to the end: {seen.unread[0]}")
    for run in seen.runs:
        if seen.whole and run.state is LayerState.FAILED and _closed(seen.engine.policy, run):
            yield Reason(Action.BLOCK, f"the layer {run.layer} failed: {run.reason}")


def _told(one: Detection, action: Action) -> bool:
    """Whether a verdict names it: all that acts, and what rules saw; low guesses are in `scores` only."""
    return action is not Action.ALLOW or one.family not in {"classifier", "moderation"}


def _closed(policy: GuardPolicy, run: LayerRun) -> bool:
    return policy.layer(run.layer).fail is Failing.CLOSED


def _gaps(seen: Observation) -> Iterator[str]:
    """What was not looked at, of what should have been."""
    if not seen.whole:
        yield seen.unread[0]
        return
    for reason in seen.unread:
        yield f"not decoded: {reason}"
    for run in seen.runs:
        if not _looked(seen.engine.policy, run):
            yield f"{run.layer}: {run.reason}"


def _looked(policy: GuardPolicy, run: LayerRun) -> bool:
    """Whether a layer looked, or need not: it is switched off, or absent and open."""
    if run.state is LayerState.SKIPPED:
        return policy.layer(run.layer).use is Switch.OFF or not _closed(policy, run)
    return run.state is LayerState.RAN
