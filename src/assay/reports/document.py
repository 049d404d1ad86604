"""Document: all that a rendered report may speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from assay.core.check import CheckInfo
from assay.core.finding import Rule
from assay.core.report import Report

if TYPE_CHECKING:
    from assay.core.release import Approval, Candidate, NotApplicable, Verdict


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """Where the ledger stood when the document was made.

    Attributes:
        size: entries in the tree.
        root: its root hash, hex.
        entries: check name to the index of its evidence.
        verdict: index of the verdict, if it was logged.
    """

    size: int
    root: str
    entries: Mapping[str, int] = field(default_factory=dict)
    verdict: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What is rendered: the reports of a run, and what was decided on them.

    Attributes:
        title: one line, such as `support-bot 1.2` or the path that was scanned.
        reports: of the checks that ran, in the order in which programs read them.
        created_at: UTC; passed in, so that the same document renders to the same text.
        tool_version: of Assay.
        verdict: what the gate said, or None for checks run alone.
        candidate: what the verdict is about.
        ledger: where evidence stands, if it was logged.
        approvals: given to the verdict.
        notes: lines for people, printed as they are after neutralising.
        checks: what is known of the checks; gives rules their help text and checks their stage.
        declared: checks that the project says do not apply to it, shown so that no waiver is silent.
    """

    title: str
    reports: tuple[Report, ...]
    created_at: datetime
    tool_version: str
    verdict: Verdict | None = None
    candidate: Candidate | None = None
    ledger: LedgerFacts | None = None
    approvals: tuple[Approval, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[CheckInfo, ...] = ()
    declared: tuple[NotApplicable, ...] = ()

    def rules(self) -> dict[str, Rule]:
        """Every known rule by its id."""
        return {rule.id: rule for info in self.checks for rule in info.rules}
