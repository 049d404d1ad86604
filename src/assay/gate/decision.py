"""The decision: packs over a document give a verdict; valid approvals turn a held one into a pass.

Two steps, so that an approval has something firm to be bound to. `decide` looks at evidence alone. If it
says `hold`, people approve that verdict's digest; `apply_approvals` then counts who did. A policy never
sees approvals; it says how many are needed and by whom (`approvals_needed`, `self_approval`, `approvers`),
and the verdict carries that in its `policy`, so that it too is under the digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assay.core.canonical import canonical_digest
from assay.core.errors import AssayError, GateError
from assay.core.release import Decision, Reason, Verdict
from assay.gate.builder import require_valid
from assay.gate.engine import PolicyEngine
from assay.gate.packs import Pack, overridden, policy_digest

MAX_REASONS = 500
MAX_TEXT = 4_000
_FIELDS = ("id", "decision", "message", "check", "remedy")
_ORDER = {Decision.FAIL: 0, Decision.HOLD: 1}


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """What turns a hold into a pass.

    Attributes:
        needed: how many people must approve.
        self_approval: whether one of them may have signed the evidence.
        approvers: who may approve; empty: anyone whose key is trusted.
    """

    needed: int = 1
    self_approval: bool = True
    approvers: tuple[str, ...] = ()

    def stricter(self, other: ApprovalTerms) -> ApprovalTerms:
        """The terms that fulfil both."""
        both = tuple(name for name in self.approvers if name in other.approvers)
        either = self.approvers or other.approvers
        if self.approvers and other.approvers and not both:
            raise GateError(
                "no person may approve by all packs", remedy="Let `approvers` have one in common."
            )
        return ApprovalTerms(
            max(self.needed, other.needed), self.self_approval and other.self_approval, both or either
        )

    def as_policy(self) -> dict[str, str]:
        """The terms as entries of `Verdict.policy`."""
        return {
            "approvals_needed": str(self.needed),
            "self_approval": "allowed" if self.self_approval else "forbidden",
            **({"approvers": json.dumps(sorted(self.approvers))} if self.approvers else {}),
        }

    @classmethod
    def of(cls, verdict: Verdict) -> ApprovalTerms:
        """The terms that a verdict carries; whatever is not legible counts as the strictest."""
        policy = verdict.policy
        needed = policy.get("approvals_needed", "")
        return cls(
            max(int(needed), 1) if needed.isdecimal() else 2,
            policy.get("self_approval") == "allowed",
            tuple(json.loads(policy["approvers"])) if "approvers" in policy else (),
        )


def decide(document: Mapping[str, Any], packs: Sequence[Pack], engine: PolicyEngine) -> Verdict:
    """Judge a candidate by its evidence alone. Whatever goes wrong in here makes the verdict `fail`.

    Args:
        document: made by `build_document`.
        packs: all of them decide; the worst reason wins.
        engine: what evaluates Rego.

    Raises:
        GateError: the document is not even JSON, so that no verdict could name it.
    """
    _require_json(document)
    terms = ApprovalTerms()
    reasons: list[Reason] = []
    try:
        require_valid(document)
        if not packs:
            raise GateError("no policy pack decides", remedy="Name one under policy.packs.")
        for pack in packs:
            found, own = _judge(document, pack, engine)
            reasons += found
            terms = terms.stricter(own)
    except AssayError as error:
        reasons.append(_policy_error(error))
    return _verdict(document, packs, engine, reasons, terms)


def _judge(
    document: Mapping[str, Any], pack: Pack, engine: PolicyEngine
) -> tuple[list[Reason], ApprovalTerms]:
    data = pack.data(document["settings"]["user"])
    rules = f"data.{pack.package}"
    try:
        outcome = engine.evaluate(pack.all_modules(), data, document, rules)
    except GateError as error:
        raise GateError(f"{error}", subject=f"policy pack {pack.name}", remedy=error.remedy) from error
    if not isinstance(outcome, dict) or outcome.get("evaluated") is not True:
        raise _malformed(pack, "`evaluated` is not true")
    listed = outcome.get("reasons")
    if not isinstance(listed, list):
        raise _malformed(pack, "`reasons` is not a set")
    if len(listed) > MAX_REASONS:
        raise _malformed(pack, f"it gives more than {MAX_REASONS} reasons")
    return [_reason(item, pack) for item in listed], _terms(outcome, pack)


def _reason(item: object, pack: Pack) -> Reason:
    if not isinstance(item, dict) or not {"id", "decision", "message"} <= set(item) <= set(_FIELDS):
        raise _malformed(pack, f"a reason must be an object of {', '.join(_FIELDS)}")
    if not all(isinstance(value, str) and len(value) <= MAX_TEXT for value in item.values()):
        raise _malformed(pack, f"a reason's fields must be text of at most {MAX_TEXT} characters")
    if item["decision"] not in {"fail", "hold"} or not item["id"] or not item["message"]:
        raise _malformed(pack, "a reason's decision must be fail or hold, its id and message not empty")
    return Reason(
        item["id"],
        Decision(item["decision"]),
        item["message"],
        item.get("check", ""),
        item.get("remedy", ""),
        pack.name,
    )


def _terms(outcome: Mapping[str, Any], pack: Pack) -> ApprovalTerms:
    needed = outcome.get("approvals_needed", 1)
    own = outcome.get("self_approval", True)
    approvers = outcome.get("approvers", [])
    if isinstance(needed, bool) or not isinstance(needed, int) or not 1 <= needed <= 100:  # noqa: PLR2004
        raise _malformed(pack, "`approvals_needed` must be a whole number from 1 to 100")
    if not isinstance(own, bool):
        raise _malformed(pack, "`self_approval` must be true or false")
    if not isinstance(approvers, list) or not all(isinstance(name, str) for name in approvers):
        raise _malformed(pack, "`approvers` must be a set of text")
    if "approvers" in outcome and not approvers:
        raise _malformed(pack, "`approvers` is empty: nobody could approve")
    return ApprovalTerms(needed, own, tuple(sorted(set(approvers))))


def _malformed(pack: Pack, what: str) -> GateError:
    return GateError(what, subject=f"policy pack {pack.name}", remedy="See the outline in docs/policy.md.")


def _policy_error(error: AssayError) -> Reason:
    message = f"the policy cannot be evaluated: {error}"[:MAX_TEXT]
    return Reason("policy-error", Decision.FAIL, message, remedy=error.remedy or "Correct the policy.")


def _verdict(
    document: Mapping[str, Any],
    packs: Sequence[Pack],
    engine: PolicyEngine,
    reasons: Sequence[Reason],
    terms: ApprovalTerms,
) -> Verdict:
    ordered = sorted(
        set(reasons), key=lambda r: (_ORDER[r.decision], r.check, r.id, r.message, r.remedy, r.pack)
    )
    settings = _part(document, "settings")
    changed = overridden(packs, _part(settings, "user"))
    return Verdict(
        decision=ordered[0].decision if ordered else Decision.PASS,
        reasons=tuple(ordered),
        model=str(document.get("model", "")),
        candidate=str(_part(document, "candidate").get("digest", "")),
        policy={
            "packs": ",".join(pack.name for pack in packs),
            "sha256": policy_digest(packs, settings),
            **({"overridden": ", ".join(changed)} if changed else {}),
            **terms.as_policy(),
        },
        input_digest=canonical_digest(dict(document)),
        engine=engine.label,
        decided_at=_moment(document),
    )


def _require_json(document: Mapping[str, Any]) -> None:
    try:
        canonical_digest(dict(document))
    except (ValueError, TypeError, RecursionError) as error:
        raise GateError(
            f"is not canonical JSON: {error}",
            subject="gate input",
            remedy="Write numbers beyond 2^53, NaN and infinities under policy.data as text.",
        ) from error


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _moment(document: Mapping[str, Any]) -> datetime:
    unix = _part(document, "now").get("unix")
    try:
        return datetime.fromtimestamp(unix if isinstance(unix, int) else 0, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)
