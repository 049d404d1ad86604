"""Sign what was found, log it, and read it back verified.

The gate decides on what this module reads back from the ledger, never on reports held in memory: what
counts is what can be proven later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from assay.core.codec import from_json, to_json
from assay.core.errors import AssayError, LedgerError, SigningKeyError, SubjectError
from assay.core.evidence import (
    ALIAS,
    APPROVAL,
    CYCLONEDX,
    NOT_APPLICABLE,
    REPORT,
    VERDICT,
    Evidence,
    candidate_resources,
    report_statement,
    resources,
    statement,
    verdict_statement,
)
from assay.core.release import AliasMove, Approval, Candidate, MoveOutcome, NotApplicable, Verdict
from assay.gate import CheckedApproval, CheckedEvidence
from assay.ledger import EntryKind, Keyring, Ledger, SigningKey, open_envelope, sign
from assay.ledger.envelope import parse_envelope
from assay.pipeline.project import LoadedProject

T = TypeVar("T")
_TYPES = {
    EntryKind.EVIDENCE: REPORT,
    EntryKind.VERDICT: VERDICT,
    EntryKind.APPROVAL: APPROVAL,
    EntryKind.NOT_APPLICABLE: NOT_APPLICABLE,
    EntryKind.PROMOTION: ALIAS,
    EntryKind.ROLLBACK: ALIAS,
    EntryKind.ALIAS: ALIAS,
}


@dataclass(frozen=True, slots=True)
class Logged(Generic[T]):
    """A value read back from the ledger.

    Attributes:
        index: its place in the ledger.
        value: what was signed.
        signer: id of the key that signed it, or "" where the signature does not hold.
        problem: why the signature does not hold, or "".
    """

    index: int
    value: T
    signer: str
    problem: str = ""


class Journal:
    """A ledger, the key that signs into it, and the keys that are believed when reading."""

    def __init__(self, ledger: Ledger, key: SigningKey, keyring: Keyring) -> None:
        self.ledger = ledger
        self.key = key
        self.keyring = keyring

    @classmethod
    def of_project(cls, project: LoadedProject, *, intact: bool = True) -> Journal:
        """The journal that `assay.yaml` names; ledger and key are made on first use.

        Args:
            project: the project.
            intact: refuse a ledger whose entries are not all there, as logged. Only what looks into a
                damaged ledger goes without.

        Raises:
            LedgerError, SigningKeyError: either cannot be opened.
            TamperError: the ledger is not intact.
        """
        config = project.config
        own = key_path(project)
        key = SigningKey.load_or_create(own)
        trusted = [project.resolve(path) for path in config.signing.trusted]
        ledger = Ledger.open(ledger_uri(project))
        try:
            if intact:
                ledger.require_intact()
            return cls(ledger, key, Keyring.load(own, trusted))
        except BaseException:
            ledger.close()
            raise

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    def record_evidence(self, evidence: Evidence) -> int:
        """Log a check's report; an SBOM is also logged as the CycloneDX statement it is."""
        index = self._append(EntryKind.EVIDENCE, report_statement(evidence))
        bom = evidence.report.details.get("bom")
        if isinstance(bom, dict):
            subject = resources(evidence.report.subject)
            self._append(EntryKind.EVIDENCE, statement(subject, CYCLONEDX, bom))
        return index

    def record_declaration(self, declared: NotApplicable, candidate: Candidate) -> int:
        """Log that a check was declared not applicable to this candidate."""
        predicate = {"declaration": to_json(declared), "candidate": candidate.digest}
        payload = statement(candidate_resources(candidate), NOT_APPLICABLE, predicate)
        return self._append(EntryKind.NOT_APPLICABLE, payload)

    def record_verdict(self, verdict: Verdict, candidate: Candidate) -> int:
        """Log a verdict."""
        return self._append(EntryKind.VERDICT, verdict_statement(verdict, candidate))

    def record_approval(self, approval: Approval, candidate: Candidate, key: SigningKey | None = None) -> int:
        """Log a person's approval, signed with their own `key` or, without one, with the project's."""
        payload = statement(candidate_resources(candidate), APPROVAL, to_json(approval))
        envelope = sign(payload, key or self.key)
        return self.ledger.append(EntryKind.APPROVAL, envelope).index

    def record_intent(
        self,
        move: AliasMove,
        candidate: Candidate,
        *,
        rollback: bool = False,
        leaving: Candidate | None = None,
    ) -> int:
        """Log that an alias is about to be moved; a rollback also speaks of the release it leaves."""
        kind = EntryKind.ROLLBACK if rollback else EntryKind.PROMOTION
        subjects = candidate_resources(candidate)
        if leaving is not None:
            subjects += [item for item in candidate_resources(leaving) if item not in subjects]
        return self._append(kind, statement(subjects, ALIAS, {"intent": to_json(move)}))

    def record_outcome(self, outcome: MoveOutcome) -> int:
        """Log how an alias move ended."""
        move = outcome.move
        subject: list[dict[str, Any]] = [
            {"name": f"candidate:{move.model}", "digest": {"sha256": move.candidate}}
        ]
        payload = statement(subject, ALIAS, {"outcome": to_json(outcome)})
        return self._append(EntryKind.ALIAS, payload)

    def evidence(self, candidate: str) -> dict[str, Logged[CheckedEvidence]]:
        """The newest evidence of each check that ran for this candidate digest."""
        newest: dict[str, Logged[CheckedEvidence]] = {}
        for logged in self._read(EntryKind.EVIDENCE, candidate, Evidence):
            value = logged.value
            if value.execution.candidate != candidate:
                continue
            checked = CheckedEvidence(
                value.report,
                value.execution,
                not logged.problem,
                logged.signer,
                logged.problem,
                _role(value.report.check),
                value.execution.options,
            )
            known = newest.get(value.report.check)
            # By the time it ended, not by place: whoever may write to the ledger could log an old one again.
            if known is None or value.execution.finished_at > known.value.execution.finished_at:
                newest[value.report.check] = Logged(logged.index, checked, logged.signer, logged.problem)
        return newest

    def declarations(self, candidate: str) -> list[NotApplicable]:
        """Checks declared not applicable to this candidate, whose signature holds."""
        found = self._read(EntryKind.NOT_APPLICABLE, candidate, NotApplicable, "declaration")
        newest: dict[str, NotApplicable] = {}
        for logged in found:
            if not logged.problem:
                newest.setdefault(logged.value.check, logged.value)
        return list(newest.values())

    def verdicts(self, candidate: str | None = None) -> Iterator[Logged[Verdict]]:
        """Verdicts on a candidate, or all of them, newest first."""
        return self._read(EntryKind.VERDICT, candidate, Verdict, "assay")

    def candidate(self, digest: str) -> Candidate:
        """The parts of a candidate, as its newest signed verdict names them.

        Raises:
            SigningKeyError: every verdict on it is signed by keys that are not trusted.
            LedgerError: no verdict speaks of it.
        """
        problem = ""
        for logged in self._read(EntryKind.VERDICT, digest, Candidate, "candidate"):
            if not logged.problem and logged.value.digest == digest:
                return logged.value
            problem = problem or logged.problem
        if problem:
            raise SigningKeyError(
                f"the verdict on this candidate does not count: {problem}",
                subject=digest,
                remedy="Name its signer's public key (`assay key export`) under signing.trusted, or use the"
                " key that the ledger was written with.",
            )
        raise LedgerError(
            "the ledger holds no signed verdict on this candidate",
            subject=digest,
            remedy="Run `assay run` on it.",
        )

    def approvals(self, candidate: str) -> list[CheckedApproval]:
        """All approvals of a candidate, newest first, with what verifying each gave."""
        return [
            CheckedApproval(logged.value, not logged.problem, logged.signer, logged.problem)
            for logged in self._read(EntryKind.APPROVAL, candidate, Approval)
        ]

    def intents(self, candidate: str | None = None) -> list[tuple[EntryKind, Logged[AliasMove]]]:
        """Alias moves that were begun, in the order of the ledger; unsigned ones are left out."""
        found = [
            (kind, logged)
            for kind in (EntryKind.PROMOTION, EntryKind.ROLLBACK)
            for logged in self._read(kind, candidate, AliasMove, "intent")
            if not logged.problem
        ]
        return sorted(found, key=lambda item: item[1].index)

    def outcomes(self) -> dict[int, MoveOutcome]:
        """How moves ended, by the index of their intent; unsigned entries are left out."""
        found = self._read(EntryKind.ALIAS, None, MoveOutcome, "outcome")
        return {logged.value.intent: logged.value for logged in found if not logged.problem}

    def _append(self, kind: EntryKind, payload: bytes) -> int:
        return self.ledger.append(kind, sign(payload, self.key)).index

    def _read(
        self, kind: EntryKind, subject: str | None, shape: type[T], part: str | None = None
    ) -> Iterator[Logged[T]]:
        for entry in self.ledger.entries(kind=kind, subject=subject, newest_first=True):
            signer, problem = "", ""
            try:
                opened = open_envelope(entry.envelope, self.keyring, at=entry.appended_at)
                document, signer = opened.statement, ", ".join(opened.keyids)
            except AssayError as error:
                problem = str(error)
                document = parse_envelope(entry.envelope).statement
            if document.get("predicateType") != _TYPES[kind]:
                continue
            predicate: Any = document["predicate"]
            try:
                value = from_json(shape, predicate.get(part) if part else predicate)
            except SubjectError:
                continue  # of another version's shape: it counts for nothing, so what needs it is missing
            yield Logged(entry.index, value, signer, problem)


@lru_cache(maxsize=256)
def _role(check: str) -> str:
    """Which part of a release a check looks at; "" when its plug-in is gone, which no policy accepts."""
    from assay.core.check import load_check  # noqa: PLC0415  entry points

    try:
        return load_check(check).info.role.value
    except AssayError:
        return ""


def ledger_uri(project: LoadedProject) -> str | Path:
    """Where the project's ledger is: a URL as written, or a file relative to `assay.yaml`."""
    uri = project.config.ledger.uri
    return uri if "://" in uri else project.resolve(uri)


def key_path(project: LoadedProject) -> Path:
    """The private key that signs for this project."""
    from assay.ledger import default_key_path  # noqa: PLC0415  reads the environment

    written = project.config.signing.key
    return project.resolve(written) if written else default_key_path()
