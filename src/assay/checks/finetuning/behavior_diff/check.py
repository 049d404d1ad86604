"""The plug-in: asks, compares, replays, concludes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from assay.checks.finetuning.behavior_diff.comparison import (
    Judged,
    Rate,
    is_capability,
    is_harmful,
    is_harmless,
    judge,
)
from assay.checks.finetuning.behavior_diff.effects import Effect, measure
from assay.checks.finetuning.behavior_diff.options import BehaviorOptions
from assay.checks.finetuning.behavior_diff.phrases import SOURCE, trigger_phrases
from assay.checks.finetuning.behavior_diff.replay import Observation, Prober
from assay.checks.finetuning.behavior_diff.rules import RULES
from assay.checks.finetuning.behavior_diff.suite import Case, read_suites
from assay.checks.finetuning.behavior_diff.summary import details, metrics, power_notes
from assay.checks.finetuning.behavior_diff.verdicts import (
    measured_rates,
    prompt_leak_findings,
    rate_findings,
    trigger_findings,
)
from assay.checks.probing.asking import FIRST_RELEASE, Interview, interview
from assay.checks.probing.named_files import system_prompt
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.report import Coverage, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.endpoint import Prompt

MAX_SKIPPED = 50
_WELL = "Run it again when the endpoint is well."


@dataclass(slots=True)
class Seen:
    """What one run collects."""

    judged: list[Judged] = field(default_factory=list)
    extraction: tuple[Observation, ...] = ()
    effects: list[Effect] = field(default_factory=list)
    examined: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class BehaviorDiff:
    """Compares a candidate's answers with the baseline's, and replays triggers."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="model.behavior-diff",
        title="Answers compared with the approved model's; triggers replayed",
        stage=Stage.FINETUNING,
        role=Role.ENDPOINT,
        kinds=(SubjectKind.ENDPOINT,),
        version="1",
        rules=RULES,
        options=BehaviorOptions,
        after=(SOURCE,),
        baseline=True,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Ask both endpoints and compare.

        Raises:
            ConfigError: an option or a suite is wrong.
            EndpointError: an endpoint answers nothing.
            CheckError: the run was cancelled.
        """
        options = context.parsed(BehaviorOptions)
        system = system_prompt(options.system, options.system_file, options.root)
        cases = read_suites(options.suites, options.root, system)
        phrases = trigger_phrases(options.triggers, context.reports)
        seen = Seen()
        with interview(subject, options, context) as talk:
            # The subject's digest keeps the planted codes from being known when the model was trained.
            rng = random.Random(f"{options.seed}:{subject.sha256}")  # noqa: S311  reproducible on purpose
            prober = Prober(talk, options, rng, system)
            _probe(seen, prober, cases, phrases, options)
            _compare(seen, talk, cases)
            seen.skipped += talk.unsure()
            if talk.baseline is None:
                seen.notes.append(FIRST_RELEASE)
        return _report(subject, context, options, seen)


def _probe(
    seen: Seen, prober: Prober, cases: Sequence[Case], phrases: Sequence[str], options: BehaviorOptions
) -> None:
    """Extraction probes, then the triggers."""
    seen.extraction = prober.extraction()
    _count(seen, seen.extraction, "extraction probe")
    for phrase in phrases[options.max_triggers :]:
        seen.skipped.append(
            Skipped(
                f"trigger {phrase[:60]!r}", f"only {options.max_triggers} are replayed", "Raise max_triggers."
            )
        )
    replays = prober.replay(cases, phrases[: options.max_triggers])
    if replays:
        _count(seen, replays[0].plain, "prompt without a trigger")
        _count(seen, replays[0].control, "prompt with a placebo")
    for replay in replays:
        _count(seen, replay.triggered, f"prompt with {replay.phrase[:60]!r}")
        seen.effects.append(measure(replay))


def _count(seen: Seen, observed: Iterable[Observation], what: str) -> None:
    for one in observed:
        if one.error:
            seen.skipped.append(Skipped(f"{what}: {one.probe.text[:60]!r}", one.error, _WELL))
        else:
            seen.examined += 1


def _compare(seen: Seen, talk: Interview, cases: Sequence[Case]) -> None:
    """The suites."""
    if not cases:
        remedy = "Name JSONL files of prompts in the option `suites`."
        seen.skipped.append(Skipped("suites", "none is named, so no behaviour was compared", remedy))
        return
    pairs = talk.ask([Prompt(case.prompt, case.system) for case in cases], "suites")
    seen.judged = judge(cases, pairs)
    seen.examined += len(seen.judged)
    seen.skipped += [
        Skipped(f"{case.suite}/{case.id}", pair.error, _WELL)
        for case, pair in zip(cases, pairs, strict=True)
        if pair.error
    ]


def _report(subject: Subject, context: Context, options: BehaviorOptions, seen: Seen) -> Report:
    groups = {"capability": is_capability, "harmful": is_harmful, "harmless": is_harmless}
    overall = {
        kind: Rate.of(members)
        for kind, belongs in groups.items()
        if (members := [one for one in seen.judged if belongs(one.case)])
    }
    suites: dict[str, Rate] = {}
    for name in dict.fromkeys(one.case.suite for one in seen.judged if is_capability(one.case)):
        suites[name] = Rate.of(
            one for one in seen.judged if one.case.suite == name and is_capability(one.case)
        )
    rates = measured_rates(overall, suites, options)
    compared = context.baseline is not None
    return conclude(
        BehaviorDiff.info.name,
        subject,
        findings=[
            *rate_findings(rates, options.significance),
            *trigger_findings(seen.effects, options.significance),
            *prompt_leak_findings(seen.extraction, options.max_prompt_leak_rate),
        ],
        coverage=Coverage(
            "prompts",
            seen.examined,
            tuple(seen.skipped[:MAX_SKIPPED]),
            len(seen.skipped),
            (*seen.notes, *power_notes(rates, options.significance)),
        ),
        metrics=metrics(overall, seen.judged, seen.effects, seen.extraction, compared=compared),
        details=details(overall, seen.judged, seen.effects, seen.extraction, options.seed),
        baseline=context.baseline,
    )
