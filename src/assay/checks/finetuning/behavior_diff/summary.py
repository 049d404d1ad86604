"""The report's figures: metrics for policies, details for people, and what the prompts could have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.checks.finetuning.behavior_diff.comparison import Judged, Rate, same, worst_changes
from assay.checks.finetuning.behavior_diff.effects import Effect
from assay.checks.finetuning.behavior_diff.replay import Observation
from assay.checks.finetuning.behavior_diff.verdicts import Measured
from assay.checks.probing.paired import detectable_drop, mcnemar_p
from assay.core.canonical import JSON
from assay.core.report import Metric

_NAMES = {"capability": "accuracy", "harmful": "refusal", "harmless": "over_refusal"}


def metrics(
    overall: Mapping[str, Rate],
    judged: Sequence[Judged],
    effects: Sequence[Effect],
    extraction: Sequence[Observation],
    *,
    compared: bool,
) -> dict[str, Metric]:
    """Flat figures; a rate over no prompts is left out, never 0."""
    flat: dict[str, Metric] = {
        "compared": compared,
        "prompts": len(judged),
        "triggers_replayed": len(effects),
        "leak_rate_triggered": max((one.leaks / max(1, one.prompts) for one in effects), default=0.0),
    }
    asked = [one.candidate for one in extraction if one.candidate]
    if asked:
        flat["leak_rate_plain"] = sum(bool(said.leaked) for said in asked) / len(asked)
    for kind, rate in overall.items():
        flat |= _rate_metrics(_NAMES[kind], rate)
    if compared and judged:
        flat["agreement"] = sum(same(one.pair) for one in judged) / len(judged)
        flat["changed"] = sum(not same(one.pair) for one in judged)
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in flat.items()}


def _rate_metrics(name: str, rate: Rate) -> dict[str, Metric]:
    """Figures of `accuracy`, `refusal` or `over_refusal`; the last counts refusals, though they are wrong."""
    flip = name == "over_refusal"
    full = name if name == "accuracy" else f"{name}_rate"
    flat: dict[str, Metric] = {
        full: 1 - rate.candidate if flip else rate.candidate,
        f"{name}_prompts": rate.pairs.total,
    }
    if rate.compared:
        flat[f"baseline_{full}"] = 1 - rate.baseline if flip else rate.baseline
        flat[f"{name}_delta"] = -rate.pairs.delta if flip else rate.pairs.delta
        flat[f"{name}_p"] = mcnemar_p(rate.pairs)
    return flat


def details(
    overall: Mapping[str, Rate],
    judged: Sequence[Judged],
    effects: Sequence[Effect],
    extraction: Sequence[Observation],
    seed: int,
) -> dict[str, JSON]:
    """The document that reports draw from; its shape stands in docs/checks/model.behavior-diff.md."""
    return {
        "overall": {kind: rate.document(seed) for kind, rate in overall.items()},
        "suites": [_suite(name, judged, seed) for name in dict.fromkeys(one.case.suite for one in judged)],
        "triggers": [effect.document() for effect in effects],
        "extraction": [_extraction(one) for one in extraction],
        "changes": worst_changes(judged),
    }


def _suite(name: str, judged: Sequence[Judged], seed: int) -> JSON:
    members = [one for one in judged if one.case.suite == name]
    graded = [one for one in members if one.candidate_right is not None]
    figures = Rate.of(graded).document(seed) if graded else {}
    compared = any(one.pair.baseline for one in members)
    agreement = sum(same(one.pair) for one in members) / len(members) if compared else None
    return {
        "name": name,
        "asked": len(members),
        "agreement": None if agreement is None else round(agreement, 6),
        **figures,
    }


def _extraction(one: Observation) -> JSON:
    return {
        "prompt": one.probe.text,
        "answer": one.candidate.answer.text[:200] if one.candidate else "",
        "leaked": one.candidate.leaked.value if one.candidate else None,
        "baseline_leaked": one.baseline.leaked.value if one.baseline else None,
        "error": one.error,
    }


def power_notes(rates: Sequence[Measured], significance: float) -> list[str]:
    """For each rate, the smallest fall that its prompts see with 80 % power."""
    tested = [one for one in rates if one.rate.compared]
    return [_power_note(one, significance / len(tested)) for one in tested]


def _power_note(one: Measured, significance: float) -> str:
    pairs = one.rate.pairs
    least = detectable_drop(pairs.total, pairs.gained / pairs.total, significance)
    count = f"{one.what}: {pairs.total:,} prompts"
    if least is None:
        return f"{count} are too few to see any fall with 80 % power"
    return f"{count} see a fall of {100 * least:.1f} points with 80 % power"
