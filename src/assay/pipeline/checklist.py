"""The checklist: which checks fulfil each control, and how they last ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from assay.core.check import check_names
from assay.core.controls import CONTROLS, Control
from assay.core.errors import AssayError
from assay.core.evidence import REPORT
from assay.ledger import EntryKind, open_envelope
from assay.ledger.envelope import parse_envelope
from assay.pipeline.journal import Journal

NOT_INSTALLED, NEVER, STALE = "not in this version", "never ran", "stale"


@dataclass(frozen=True, slots=True)
class CheckState:
    """How a check stands: its last status, `never ran`, `stale` or `not in this version`."""

    check: str
    state: str
    at: datetime | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class ControlState:
    """A control and its checks."""

    control: Control
    checks: tuple[CheckState, ...]

    @property
    def state(self) -> str:
        """`met` when each of its installed checks passed lately, else the worst of them; never guessed."""
        installed = [check.state for check in self.checks if check.state != NOT_INSTALLED]
        if not installed:
            return NOT_INSTALLED
        if all(state == "pass" for state in installed):
            return "met"
        worst = ("fail", "error", "incomplete", "unsigned", STALE, NEVER)
        return next((state for state in worst if state in installed), "unknown")


def control_states(journal: Journal | None, now: datetime, max_age: timedelta) -> list[ControlState]:
    """Every control, with the newest signed evidence of each of its checks.

    Args:
        journal: the project's, or None outside a project: then only what is installed is told.
        now: the time.
        max_age: older evidence is stale.
    """
    installed = set(check_names())
    last = _newest(journal) if journal else {}
    states = []
    for control in CONTROLS:
        checks = [_state(name, installed, last, now, max_age) for name in control.checks]
        states.append(ControlState(control, tuple(checks)))
    return states


def _state(
    name: str, installed: set[str], last: dict[str, CheckState], now: datetime, max_age: timedelta
) -> CheckState:
    if name not in installed:
        return CheckState(name, NOT_INSTALLED)
    found = last.get(name)
    if found is None:
        return CheckState(name, NEVER)
    if found.at is not None and now - found.at > max_age:
        return CheckState(name, STALE, found.at, found.entry)
    return found


def _newest(journal: Journal) -> dict[str, CheckState]:
    newest: dict[str, CheckState] = {}
    for entry in journal.ledger.entries(kind=EntryKind.EVIDENCE, newest_first=True):
        statement = parse_envelope(entry.envelope).statement
        if statement["predicateType"] != REPORT:
            continue
        report = statement["predicate"]["report"]
        if report["check"] in newest:
            continue
        state = report["status"]
        try:
            open_envelope(entry.envelope, journal.keyring, at=entry.appended_at)
        except AssayError:
            state = "unsigned"
        newest[report["check"]] = CheckState(report["check"], state, entry.appended_at, entry.index)
    return newest
