"""A whole campaign: attempts made on the subject and its baseline, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.checks.probing.asking import FIRST_RELEASE, interview
from assay.checks.probing.campaign import Attempt, Plan, make, planned
from assay.checks.probing.named_files import system_prompt
from assay.checks.probing.options import CampaignOptions
from assay.checks.probing.probe import Probe
from assay.checks.probing.resuming import Memory
from assay.core.check import Context
from assay.core.report import Skipped
from assay.core.subject import Subject
from assay.guard.mutation import chosen
from assay.subjects.endpoint import Pace


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a campaign.

    Attributes:
        attempts: all of them, judged where they could be.
        skipped: those that could not, and what else is not known.
        notes: what a reader should know.
    """

    attempts: tuple[Attempt, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def judged(self) -> int:
        """Attempts that could be judged."""
        return sum(attempt.worked is not None for attempt in self.attempts)


def hold(subject: Subject, context: Context, options: CampaignOptions, probes: Sequence[Probe]) -> Held:
    """Make every probe, as it is and rewritten, on the subject and on the baseline.

    Raises:
        ConfigError: an option is wrong.
        EndpointError: an endpoint answers nothing.
        CheckError: the run was cancelled.
    """
    system = system_prompt(options.system, options.system_file, options.root)
    # The subject's digest keeps codes and markers from being known when the model was trained.
    plan = Plan(system, chosen(options.mutations), options.mutated, f"{options.seed}:{subject.sha256}")
    memory = Memory(
        Path(options.root) / options.resume if options.resume else None, _identity(subject, context)
    )
    pace = Pace(options.requests_per_minute) if options.requests_per_minute else None
    attempts = planned(probes, plan)
    with interview(subject, options, context, pace) as talk:
        make(attempts, talk, memory)
        skipped = [*_unjudged(attempts), *talk.unsure()]
        notes = [] if talk.baseline else [FIRST_RELEASE]
    if memory.known:
        notes.append(f"{memory.known:,} answers were taken from {options.resume} and not asked for again")
    return Held(tuple(attempts), tuple(skipped), tuple(notes))


def _identity(subject: Subject, context: Context) -> str:
    return f"{subject.sha256}:{context.baseline.sha256 if context.baseline else ''}"


def _unjudged(attempts: Sequence[Attempt]) -> list[Skipped]:
    return [
        Skipped(
            attempt.made.probe.id + (f" {attempt.mutation}" if attempt.mutation else ""),
            attempt.error,
            "Run it again when the endpoint is well.",
        )
        for attempt in attempts
        if attempt.error
    ]
