"""Approvals: a person's signed word on one held verdict, and what it takes for a pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assay.core.errors import GateError, UsageError
from assay.core.release import Approval, Decision, Reason, Verdict
from assay.gate.decision import ApprovalTerms

MIN_REASON = 10
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CheckedApproval:
    """An approval from the ledger, and what verifying its signature gave.

    Attributes:
        approval: what was signed.
        signed: whether a trusted key's signature is valid.
        signer: the id of the key that signed, or several joined by ", "; approvals that share a key are
            one person's.
        problem: why the signature does not count, or "".
    """

    approval: Approval
    signed: bool
    signer: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Which approvals count towards a verdict, and what is still missing.

    Attributes:
        accepted: one per person, oldest first.
        rejected: the others, each with the reason.
        terms: what the verdict asks for.
    """

    accepted: tuple[CheckedApproval, ...]
    rejected: tuple[tuple[CheckedApproval, str], ...]
    terms: ApprovalTerms

    @property
    def missing(self) -> int:
        """How many more people must approve."""
        return max(0, self.terms.needed - len(self.accepted))


def make_approval(
    verdict: Verdict,
    approver: str,
    reason: str,
    now: datetime,
    expires: datetime | None = None,
) -> Approval:
    """An approval of `verdict`, to be signed by the approver's key.

    Args:
        verdict: a held one, as `decide` gave it.
        approver: who approves: an e-mail address or another name that people are known by.
        reason: why, for those who read the ledger later; at least 10 characters.
        now: with a time zone.
        expires: with a time zone; None: as long as candidate and verdict stay the same.

    Raises:
        UsageError: the verdict is not held, or name, reason or expiry are missing or make no sense.
    """
    if verdict.decision is not Decision.HOLD:
        raise UsageError(
            f"the verdict is {verdict.decision.value}: only a held one can be approved",
            subject=verdict.model,
            remedy="Correct what fails and run `assay run` again."
            if verdict.decision is Decision.FAIL
            else "Nothing needs approval.",
        )
    if not approver.strip():
        raise UsageError("an approval needs the approver's name", remedy="Give --approver.")
    if len(reason.strip()) < MIN_REASON:
        raise UsageError(
            f"an approval needs a reason of at least {MIN_REASON} characters", remedy="Give --reason."
        )
    if expires is not None and expires <= now:
        raise UsageError("the approval would have expired already", remedy="Give a later --expires.")
    return Approval(verdict.candidate, verdict.digest, approver.strip(), reason.strip(), now, expires)


def approval_state(
    verdict: Verdict, approvals: Sequence[CheckedApproval], *, now: datetime, authors: Collection[str] = ()
) -> ApprovalState:
    """Sort approvals into those that count and those that do not.

    Args:
        verdict: as `decide` gave it now; an approval of any other candidate or verdict is void.
        approvals: all that the ledger holds for this candidate.
        now: with a time zone.
        authors: names and key ids of those who signed the evidence, for the self-approval ban; several ids
            may be joined by ", ".

    Raises:
        GateError: the verdict's terms are not legible.
    """
    terms = _terms(verdict)
    accepted: list[CheckedApproval] = []
    rejected: list[tuple[CheckedApproval, str]] = []
    for item in sorted(approvals, key=lambda a: (a.approval.approved_at, a.approval.approver, a.signer)):
        why = _void(verdict, item, now) or _excluded(item, terms, authors) or _repeated(item, accepted)
        if why:
            rejected.append((item, why))
        else:
            accepted.append(item)
    return ApprovalState(tuple(accepted), tuple(rejected), terms)


def apply_approvals(
    verdict: Verdict, approvals: Sequence[CheckedApproval], *, now: datetime, authors: Collection[str] = ()
) -> Verdict:
    """The final verdict: a held one passes once enough people approved; any other stays as it is.

    The reasons to hold stay in it, and each approval is added as a reason, so that the ledger shows what
    was waved through and by whom. A verdict that lacks approvals comes back unchanged, so its digest is
    still what people approve.
    """
    if verdict.decision is not Decision.HOLD:
        return verdict
    state = approval_state(verdict, approvals, now=now, authors=authors)
    if state.missing:
        return verdict
    added = tuple(
        Reason("approved", Decision.PASS, f"{item.approval.approver} approved: {item.approval.reason}")
        for item in state.accepted
    )
    return dataclasses.replace(
        verdict, decision=Decision.PASS, reasons=(*verdict.reasons, *added), decided_at=now
    )


def _terms(verdict: Verdict) -> ApprovalTerms:
    try:
        return ApprovalTerms.of(verdict)
    except (ValueError, TypeError) as error:
        raise GateError("the verdict's approval terms are not legible", subject=verdict.model) from error


def _void(verdict: Verdict, item: CheckedApproval, now: datetime) -> str:
    approval = item.approval
    if not item.signed or item.problem:
        return f"its signature does not count: {item.problem or 'it is not signed'}"
    if approval.candidate != verdict.candidate:
        return "it is about another candidate"
    if approval.verdict != verdict.digest:
        return "it is about another verdict: what was judged has changed since"
    if approval.expires_at is not None and approval.expires_at <= now:
        return "it has expired"
    if approval.approved_at > now + CLOCK_SKEW:
        return "it claims to be from the future"
    return ""


def _excluded(item: CheckedApproval, terms: ApprovalTerms, authors: Collection[str]) -> str:
    name = _identity(item.approval.approver)
    known = {_identity(author) for author in authors if author}.union(*map(_keys, authors))
    if not terms.self_approval and (name in known or _keys(item.signer) & known):
        return "its approver signed the evidence"
    if terms.approvers and name not in {_identity(approver) for approver in terms.approvers}:
        return "its approver is not among those who may approve"
    return ""


def _repeated(item: CheckedApproval, accepted: Sequence[CheckedApproval]) -> str:
    """One person under two names, or two keys of one name, count once."""
    for other in accepted:
        if other.signer == item.signer or _keys(other.signer) & _keys(item.signer):
            return "its key has approved already"
        if _identity(other.approval.approver) == _identity(item.approval.approver):
            return "its approver has approved already"
    return ""


def _keys(signer: str) -> frozenset[str]:
    """The key ids in `signer`: an envelope may hold signatures by several keys."""
    return frozenset(filter(None, map(_identity, signer.split(", "))))


def _identity(name: str) -> str:
    return name.strip().casefold()
