"""Reports on their way to the screen: the `Document` that every format renders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from assay import __version__
from assay.core.check import CheckInfo, load_check
from assay.core.errors import AssayError
from assay.reports import Document, LedgerFacts

if TYPE_CHECKING:
    from assay.core.config import NotApplicableSection
    from assay.core.release import MoveOutcome, NotApplicable
    from assay.core.report import Report
    from assay.pipeline.release import Released


def document_of(
    reports: Sequence[Report],
    title: str,
    *,
    notes: tuple[str, ...] = (),
    checks: tuple[CheckInfo, ...] | None = None,
) -> Document:
    """A document of checks run alone; what they are is looked up where `checks` does not say."""
    return Document(
        title=title,
        reports=tuple(reports),
        created_at=datetime.now(UTC),
        tool_version=__version__,
        notes=notes,
        checks=tuple(_infos(report.check for report in reports)) if checks is None else checks,
    )


def declarations(sections: Mapping[str, NotApplicableSection]) -> tuple[NotApplicable, ...]:
    """`not_applicable` of `assay.yaml`; a declaration holds to the end of its last day, UTC."""
    from assay.core.release import NotApplicable  # noqa: PLC0415  start-up

    return tuple(
        NotApplicable(
            name,
            section.reason,
            datetime.combine(section.expires, time.max, tzinfo=UTC) if section.expires else None,
        )
        for name, section in sorted(sections.items())
    )


def document_of_release(
    released: Released, declared: Mapping[str, NotApplicableSection] | None = None
) -> Document:
    """A document of a whole run, with its verdict and where its evidence stands."""
    verdict = released.decided.final
    moved = released.move
    notes = tuple(recovered_text(outcome) for outcome in released.recovered)
    if moved:
        notes += (f"{moved.alias} → version {moved.version}",)
    return Document(
        title=f"{released.candidate.model}: release of {released.candidate.subjects['model'].name}",
        reports=tuple(released.reports.values()),
        created_at=verdict.decided_at,
        tool_version=__version__,
        verdict=verdict,
        candidate=released.candidate,
        ledger=LedgerFacts(
            released.ledger.size, released.ledger.root.hex(), released.entries, released.verdict_entry
        ),
        notes=notes,
        checks=tuple(_infos(released.reports)),
        declared=declarations(declared or {}),
    )


def recovered_text(outcome: MoveOutcome) -> str:
    """What became of a move that an earlier run was interrupted in."""
    move = outcome.move
    begun = f"an interrupted move of {move.alias} to version {move.version}"
    return f"{begun} was {outcome.outcome}: {outcome.reason}"


def _infos(names: Iterable[str]) -> Iterator[CheckInfo]:
    for name in dict.fromkeys(names):
        try:
            yield load_check(name).info
        except AssayError:
            continue  # a report may outlive the plug-in that made it
