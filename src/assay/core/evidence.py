"""Evidence as in-toto Statements v1 (https://in-toto.io/Statement/v1), before they are signed.

A statement binds a predicate to the SHA-256 of what it speaks of. Predicate types:

| what | predicate type |
| --- | --- |
| a check's report | `https://assay.dev/attestation/report/v1` |
| an SBOM | `https://cyclonedx.org/bom` |
| a verdict | `https://slsa.dev/verification_summary/v1` |
| approval, alias move, declaration | `https://assay.dev/attestation/{approval,alias,not-applicable}/v1` |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assay.core.canonical import JSON, canonical_bytes, carriable
from assay.core.codec import to_json
from assay.core.report import Engine, Report
from assay.core.subject import Subject

if TYPE_CHECKING:
    from assay.core.release import Candidate, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
REPORT = "https://assay.dev/attestation/report/v1"
CYCLONEDX = "https://cyclonedx.org/bom"
VERDICT = "https://slsa.dev/verification_summary/v1"
APPROVAL = "https://assay.dev/attestation/approval/v1"
ALIAS = "https://assay.dev/attestation/alias/v1"
NOT_APPLICABLE = "https://assay.dev/attestation/not-applicable/v1"


@dataclass(frozen=True, slots=True)
class Execution:
    """How a report came about.

    Attributes:
        version: of Assay.
        check_version: of the check's rules.
        options_digest: SHA-256 of the canonical options the check ran with.
        started_at, finished_at: UTC.
        candidate: digest of the candidate it ran for, or "" for a check run alone.
        options: the options it ran with, where they are not the defaults.
    """

    version: str
    check_version: str
    options_digest: str
    started_at: datetime
    finished_at: datetime
    candidate: str = ""
    options: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The predicate of a check's statement: the report, and how it came about."""

    report: Report
    execution: Execution
    engines: tuple[Engine, ...] = field(default=())


def resource(subject: Subject) -> dict[str, JSON]:
    """A subject as an in-toto ResourceDescriptor."""
    digests: dict[str, JSON] = dict(subject.digests)
    return {"name": subject.name, "digest": digests}


def resources(subject: Subject) -> list[dict[str, JSON]]:
    """A subject and, for an endpoint, the model it serves."""
    return [resource(subject)] + ([resource(subject.serves)] if subject.serves else [])


def statement(subjects: list[dict[str, JSON]], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a Statement v1.

    Args:
        subjects: resource descriptors; at least one.
        predicate_type: a URI.
        predicate: JSON values only.

    What canonical JSON cannot carry, such as a lone surrogate quoted from a hostile file, is escaped.
    """
    document: dict[str, JSON] = {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    try:
        return canonical_bytes(document)
    except ValueError:
        return canonical_bytes(carriable(document))


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding of DSSE v1: what a signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def candidate_resources(candidate: Candidate) -> list[dict[str, JSON]]:
    """The candidate itself and each of its parts, so that each can be looked up by digest."""
    own: dict[str, JSON] = {
        "name": f"candidate:{candidate.model}",
        "digest": {"sha256": candidate.digest},
    }
    return [own, *(resource(subject) for subject in candidate.subjects.values())]


def report_statement(evidence: Evidence) -> bytes:
    """The statement of a check's report, bound to its subject."""
    return statement(resources(evidence.report.subject), REPORT, to_json(evidence))


def verdict_statement(verdict: Verdict, candidate: Candidate) -> bytes:
    """A verdict as a SLSA Verification Summary v1, in full under `assay`, with its `candidate`."""
    passed = verdict.decision == "pass"
    predicate = {
        "verifier": {"id": "https://assay.dev/gate/v1"},
        "timeVerified": verdict.decided_at.isoformat().replace("+00:00", "Z"),
        "resourceUri": f"assay:model/{verdict.model}@sha256:{verdict.candidate}",
        "policy": {"digest": {"sha256": verdict.policy.get("sha256", "")}},
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [],
        "assay": to_json(verdict),
        "candidate": to_json(candidate),
    }
    return statement(candidate_resources(candidate), VERDICT, predicate)
