"""Move an alias, ledger first, so that a crash at any point leaves no half-moved release.

A move is three steps: the intent goes into the ledger, the alias is moved by compare-and-set, the outcome
goes into the ledger. `recover` finishes or abandons what an earlier process left between them.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assay.core.errors import (
    AssayError,
    ConflictError,
    GateError,
    LedgerError,
    RegistryError,
    SigningKeyError,
    TamperError,
)
from assay.core.release import AliasMove, Candidate, Decision, MoveOutcome, Verdict
from assay.pipeline.decision import champion_state, judge
from assay.pipeline.history import release_stack
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject
from assay.registries import Registry, Version


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A release that a rollback did not go to, and why."""

    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback that was done: the move, and the newer releases that were passed over."""

    move: AliasMove
    passed_over: tuple[PassedOver, ...]


def promote(
    journal: Journal,
    registry: Registry,
    candidate: Candidate,
    verdict: Verdict,
    *,
    alias: str,
    judged_against: str | None,
    clock: Callable[[], datetime] = _now,
) -> AliasMove | None:
    """Register the candidate's model and point `alias` at it; None when it points there already.

    Args:
        journal: the ledger.
        registry: the registry.
        candidate: what passed.
        verdict: the verdict that says so.
        alias: which alias.
        judged_against: the version that held the alias when the verdict was made.
        clock: the time.

    Raises:
        TamperError: the registry holds other bytes under this candidate.
        GateError: the verdict is not `pass`, or is about another candidate.
        ConflictError: somebody else moved the alias meanwhile; nothing was changed.
        RegistryError, LedgerError: either could not be written.
    """
    _require_passed(candidate, verdict)
    _require_unmoved(registry, candidate.model, alias, judged_against)
    version = _register(registry, candidate, verdict, judged_against)
    if judged_against == version.version:
        return None
    move = AliasMove(
        model=candidate.model,
        alias=alias,
        previous=judged_against,
        version=version.version,
        candidate=candidate.digest,
        verdict=verdict.digest,
        reason="verdict pass",
        moved_at=clock(),
        actor=getpass.getuser(),
    )
    return _move(journal, registry, move, candidate)


def _require_passed(candidate: Candidate, verdict: Verdict) -> None:
    if verdict.decision is not Decision.PASS or verdict.candidate != candidate.digest:
        raise GateError(
            f"the verdict is {verdict.decision.value}, so nothing is promoted",
            subject=candidate.model,
            remedy="See its reasons with `assay prove`.",
        )


def _require_unmoved(registry: Registry, model: str, alias: str, judged_against: str | None) -> None:
    current = registry.get_alias(model, alias)
    if (current.version if current else None) != judged_against:
        raise ConflictError(
            f"it was judged against version {judged_against or 'none'}, but "
            f"{current.version if current else 'none'} is live now",
            subject=f"{model}@{alias}",
            remedy="Run `assay run` again.",
        )


def _register(registry: Registry, candidate: Candidate, verdict: Verdict, base: str | None) -> Version:
    """The version that holds the candidate's bytes, made where there is none."""
    model = candidate.subjects["model"]
    annotations = {f"assay.{role}.sha256": part.sha256 for role, part in candidate.subjects.items()}
    annotations["assay.verdict.sha256"] = verdict.digest
    if base:
        annotations["assay.base"] = base
    version = registry.create_version(
        candidate.model, model.path, model.sha256, candidate.digest, annotations
    )
    _require_bytes(registry, version, model.sha256)
    return version


def roll_back(
    project: LoadedProject,
    journal: Journal,
    registry: Registry,
    *,
    alias: str,
    reason: str,
    to: str | None = None,
    clock: Callable[[], datetime] = _now,
) -> Rollback:
    """Point `alias` at the newest earlier release whose evidence passes today's policy.

    Args:
        project: the project, for its policy.
        journal: the ledger.
        registry: the registry.
        alias: which alias.
        reason: why, for the ledger.
        to: go to this version and no other.
        clock: the time.

    Raises:
        RegistryError: there is no release to go back to.
        GateError: none passes; the message says why each was passed over.
    """
    model = project.config.model.name
    current = registry.get_alias(model, alias)
    passed_over: list[PassedOver] = []
    for release in _earlier(release_stack(journal, model, alias), current, to, f"{model}@{alias}"):
        problem = _why_not(project, journal, registry, release, clock)
        if problem:
            passed_over.append(PassedOver(release.version, problem))
            continue
        move = replace(
            release,
            previous=current.version if current else None,
            reason=reason,
            moved_at=clock(),
            actor=getpass.getuser(),
        )
        candidate, leaving = journal.candidate(release.candidate), _live(journal, current)
        done = _move(journal, registry, move, candidate, rollback=True, leaving=leaving)
        return Rollback(done, tuple(passed_over))
    why = "; ".join(f"version {item.version}: {item.reason}" for item in passed_over)
    raise GateError(
        f"no earlier release passes today's policy ({why})",
        subject=f"{model}@{alias}",
        remedy="Run `assay run` on an earlier model to renew its evidence, or correct the policy.",
    )


def _earlier(stack: list[AliasMove], current: Version | None, to: str | None, where: str) -> list[AliasMove]:
    """The releases that could be gone back to, newest first."""
    earlier = [move for move in reversed(stack) if current is None or move.version != current.version]
    if to is not None:
        earlier = [move for move in earlier if move.version == to]
    if not earlier:
        raise RegistryError(
            "there is no earlier release" + (f" {to}" if to else ""),
            subject=where,
            remedy="`assay prove` shows the alias history.",
        )
    return earlier


def recover(journal: Journal, registry: Registry, model: str, alias: str) -> list[MoveOutcome]:
    """Finish or abandon moves of `model`'s alias that were begun and have no outcome in the ledger.

    Only the newest intent, by its own signed time, may still move the alias, and only to bytes that are those
    that were judged: an old intent that somebody logs again is abandoned.
    """
    ended = journal.outcomes()
    own = [item for _, item in journal.intents() if (item.value.model, item.value.alias) == (model, alias)]
    newest = max((item.value.moved_at for item in own), default=None)
    outcomes = []
    for logged in own:
        if logged.index in ended:
            continue
        first = logged.value.moved_at == newest and not any(
            ended[item.index].move == logged.value for item in own if item.index in ended
        )
        problem = _finish(journal, registry, logged.value) if first else "it is not the newest move"
        outcome = MoveOutcome(
            logged.value,
            logged.index,
            "abandoned" if problem else "done",
            problem or "finished after an interruption",
        )
        journal.record_outcome(outcome)
        outcomes.append(outcome)
    return outcomes


def _finish(journal: Journal, registry: Registry, move: AliasMove) -> str:
    """Bring a begun move to its end; returns why it cannot be, or ""."""
    current = registry.get_alias(move.model, move.alias)
    standing = current.version if current else None
    try:
        _require_bytes(registry, _version(registry, move), _judged_model(journal, move))
        if standing == move.previous and standing != move.version:
            registry.set_alias(move.model, move.alias, move.version, expect=move.previous)
            standing = move.version
    except AssayError as error:
        return str(error)
    return "" if standing == move.version else f"the alias stood at {standing}"


def _judged_model(journal: Journal, move: AliasMove) -> str:
    return journal.candidate(move.candidate).subjects["model"].sha256


def _version(registry: Registry, move: AliasMove) -> Version:
    found = next((v for v in registry.versions(move.model) if v.version == move.version), None)
    if found is None:
        raise RegistryError("the registry has no such version", subject=f"{move.model} {move.version}")
    return found


def _require_bytes(registry: Registry, version: Version, sha256: str) -> None:
    """Refuse a version whose bytes are not those that the ledger says were judged."""
    # `resolve` verifies the bytes against the version's own record; the record itself proves nothing.
    registry.resolve(version.model, version.version)
    if version.digest != sha256:
        raise TamperError(
            f"version {version.version} is not the model that was judged",
            subject=version.model,
            remedy="Restore it from a backup, or delete the version and run `assay run` again.",
        )


def _move(
    journal: Journal,
    registry: Registry,
    move: AliasMove,
    candidate: Candidate,
    *,
    rollback: bool = False,
    leaving: Candidate | None = None,
) -> AliasMove:
    intent = journal.record_intent(move, candidate, rollback=rollback, leaving=leaving)
    try:
        registry.set_alias(move.model, move.alias, move.version, expect=move.previous)
    except ConflictError as error:
        current = registry.get_alias(move.model, move.alias)
        if current is None or current.version != move.version:
            journal.record_outcome(MoveOutcome(move, intent, "abandoned", str(error)))
            raise
    journal.record_outcome(MoveOutcome(move, intent, "done"))
    return move


def _live(journal: Journal, current: Version | None) -> Candidate | None:
    """The candidate that the alias stands at; None where the ledger does not vouch for one."""
    try:
        return journal.candidate(current.candidate) if current else None
    except (LedgerError, SigningKeyError):
        return None


def _why_not(
    project: LoadedProject,
    journal: Journal,
    registry: Registry,
    release: AliasMove,
    clock: Callable[[], datetime],
) -> str:
    """Why `release` cannot be gone back to, or ""."""
    try:
        _require_bytes(registry, _version(registry, release), _judged_model(journal, release))
        candidate = journal.candidate(release.candidate)
    except AssayError as error:
        return str(error)
    # Judged against the champion it replaced then, not the one it would replace now.
    replaced = next((v for v in registry.versions(release.model) if v.version == release.previous), None)
    state = champion_state(journal, release.alias, release.previous, replaced.candidate if replaced else "")
    verdict = judge(project, journal, candidate, state, compare_options=False, clock=clock).final
    if verdict.decision is Decision.PASS:
        return ""
    return "; ".join(reason.message for reason in verdict.reasons[:3]) or verdict.decision.value
