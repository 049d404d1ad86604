"""All that the ledger holds on one digest, each item verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assay.core.errors import AssayError
from assay.core.evidence import CYCLONEDX
from assay.ledger import Entry, EntryKind, TreeHead, open_envelope
from assay.ledger.envelope import parse_envelope
from assay.ledger.merkle import leaf_hash, verify_inclusion
from assay.pipeline.journal import Journal


@dataclass(frozen=True, slots=True)
class Proven:
    """One entry that speaks of the digest.

    Attributes:
        index: its place in the ledger.
        kind: what it records.
        at: when it was logged.
        what: the check, or what was decided, approved or moved.
        outcome: status, decision, approver or alias move, in a few words.
        candidate: the candidate it was made for, or "".
        signer: key ids that vouch for it.
        problem: why it does not count, or "" when signature and inclusion hold.
    """

    index: int
    kind: EntryKind
    at: datetime
    what: str
    outcome: str
    candidate: str
    signer: str
    problem: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a digest.

    Attributes:
        digest: SHA-256 that was asked for.
        names: what the entries call it.
        entries: in the order of the ledger.
        head: the tree that every entry was proven to be in.
    """

    digest: str
    names: tuple[str, ...]
    entries: tuple[Proven, ...]
    head: TreeHead

    @property
    def sound(self) -> bool:
        """Whether there is anything, and all of it holds."""
        return bool(self.entries) and not any(entry.problem for entry in self.entries)


def prove(journal: Journal, digest: str) -> Proof:
    """Collect and verify every entry about `digest`, and all that verdicts on it rest on.

    Raises:
        LedgerError: the ledger cannot be read, or `digest` is not a SHA-256.
    """
    head = journal.ledger.head()
    names: dict[str, None] = {}
    proven = []
    for entry in _entries(journal, digest):
        statement = parse_envelope(entry.envelope).statement
        for subject in statement["subject"]:
            if digest in subject["digest"].values():
                names.setdefault(str(subject.get("name", "")))
        proven.append(_prove_entry(journal, entry, statement, head))
    return Proof(digest, tuple(names), tuple(proven), head)


def _entries(journal: Journal, digest: str) -> list[Entry]:
    """The entries on `digest`, and those that the verdicts among them rest on, in order."""
    found = {entry.index: entry for entry in journal.ledger.entries(subject=digest)}
    candidates = {
        subject["digest"]["sha256"]
        for entry in found.values()
        if entry.kind is EntryKind.VERDICT
        for subject in parse_envelope(entry.envelope).statement["subject"]
        if str(subject.get("name", "")).startswith("candidate:")
    }
    for candidate in candidates:
        found |= {entry.index: entry for entry in journal.ledger.entries(subject=candidate)}
    found |= {entry.index: entry for entry in _outcomes(journal, found.values())}
    return [found[index] for index in sorted(found)]


def _outcomes(journal: Journal, entries: Iterable[Entry]) -> Iterator[Entry]:
    """How the alias moves among `entries` ended, also where the alias went to other bytes."""
    moves = [entry for entry in entries if entry.kind in {EntryKind.PROMOTION, EntryKind.ROLLBACK}]
    for move in moves:
        intent = parse_envelope(move.envelope).statement["predicate"].get("intent", {})
        for entry in journal.ledger.entries(kind=EntryKind.ALIAS, subject=intent.get("candidate", "")):
            outcome = parse_envelope(entry.envelope).statement["predicate"].get("outcome", {})
            if outcome.get("intent") == move.index:
                yield entry


def _prove_entry(journal: Journal, entry: Entry, statement: Mapping[str, Any], head: TreeHead) -> Proven:
    signer, problem = "", ""
    try:
        signer = ", ".join(open_envelope(entry.envelope, journal.keyring, at=entry.appended_at).keyids)
        path = journal.ledger.inclusion_proof(entry.index, head.size)
        if not verify_inclusion(leaf_hash(entry.leaf_bytes), entry.index, head.size, path, head.root):
            problem = "it is not in the tree that the ledger's head names"
    except AssayError as error:
        problem = str(error)
    try:
        what, outcome, candidate = _describe(entry.kind, statement)
    except (KeyError, TypeError, AttributeError):
        what, outcome, candidate = entry.kind.value, "a statement of another shape", ""
        problem = problem or "it is not a statement that this version reads"
    return Proven(entry.index, entry.kind, entry.appended_at, what, outcome, candidate, signer, problem)


def _describe(kind: EntryKind, statement: Mapping[str, Any]) -> tuple[str, str, str]:
    predicate = statement["predicate"]
    if statement["predicateType"] == CYCLONEDX:
        return "SBOM", f"CycloneDX, {len(predicate.get('components', []))} components", ""
    describe = _DESCRIPTIONS.get(kind)
    return describe(predicate) if describe else (kind.value, "", "")


def _evidence(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
    report = predicate["report"]
    found = len(report["findings"])
    outcome = report["status"] + (f", {found} findings" if found else "")
    return report["check"], outcome, predicate["execution"].get("candidate", "")


def _verdict(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
    verdict = predicate["assay"]
    return "verdict", f"{verdict['decision']} by {verdict['policy'].get('packs', '')}", verdict["candidate"]


def _approval(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
    return "approval", f"{predicate['approver']}: {predicate['reason']}", predicate["candidate"]


def _declaration(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
    declared = predicate["declaration"]
    return declared["check"], f"not applicable: {declared['reason']}", predicate["candidate"]


def _intent(what: str) -> Callable[[Mapping[str, Any]], tuple[str, str, str]]:
    def describe(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
        move = predicate["intent"]
        way = f"{move['alias']}: {move['previous'] or 'none'} → {move['version']}"
        return what, f"{way} ({move['reason']})", move["candidate"]

    return describe


def _outcome(predicate: Mapping[str, Any]) -> tuple[str, str, str]:
    outcome = predicate["outcome"]
    move = outcome["move"]
    return "alias", f"{move['alias']} → {move['version']}: {outcome['outcome']}", move["candidate"]


_DESCRIPTIONS: Mapping[EntryKind, Callable[[Mapping[str, Any]], tuple[str, str, str]]] = {
    EntryKind.EVIDENCE: _evidence,
    EntryKind.VERDICT: _verdict,
    EntryKind.APPROVAL: _approval,
    EntryKind.NOT_APPLICABLE: _declaration,
    EntryKind.PROMOTION: _intent("promotion"),
    EntryKind.ROLLBACK: _intent("rollback"),
    EntryKind.ALIAS: _outcome,
}
