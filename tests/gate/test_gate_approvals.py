from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assay.core.errors import GateError, UsageError
from assay.core.finding import Severity
from assay.core.release import Approval, Decision, Reason, Verdict
from assay.gate import (
    ApprovalTerms,
    CheckedApproval,
    CheckedEvidence,
    apply_approvals,
    approval_state,
    make_approval,
)

Bench = Any  # conftest's; importlib mode has no name for it
WHY = "looked at the findings, they are examples"


@pytest.fixture
def held(bench: Bench) -> Verdict:
    return Verdict(
        Decision.HOLD,
        (Reason("medium-findings", Decision.HOLD, "3 medium", "data.hygiene", "look", "baseline"),),
        "bot",
        "c" * 64,
        {"packs": "baseline", "sha256": "0" * 64, **ApprovalTerms().as_policy()},
        "1" * 64,
        "regopy 1.5.2",
        bench.now,
    )


def under(verdict: Verdict, terms: ApprovalTerms) -> Verdict:
    return replace(verdict, policy={**verdict.policy, **terms.as_policy()})


def by(held: Verdict, name: str, key: str = "", /, **fields: Any) -> CheckedApproval:
    approval = make_approval(held, name, WHY, held.decided_at)
    return CheckedApproval(replace(approval, **fields), signed=True, signer=key or f"key-{name}")


def test_hold_is_approved_in_two_steps(bench: Bench, findings_of: Callable[..., CheckedEvidence]) -> None:
    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 1}, fail_on=Severity.HIGH
    )
    held = bench.decide()
    assert held.decision is Decision.HOLD
    approval = make_approval(held, "ann@example.org", WHY, bench.now)
    assert approval == Approval(held.candidate, held.digest, "ann@example.org", WHY, bench.now)

    bench.now += timedelta(days=1)
    again = bench.decide()
    final = apply_approvals(again, [CheckedApproval(approval, signed=True, signer="key-ann")], now=bench.now)
    assert final.decision is Decision.PASS
    assert [(r.id, r.decision) for r in final.reasons] == [
        ("medium-findings", Decision.HOLD),
        ("approved", Decision.PASS),
    ]
    assert final.reasons[-1].message == f"ann@example.org approved: {WHY}"

    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 2}, fail_on=Severity.HIGH
    )
    changed = bench.decide()
    assert (
        apply_approvals(changed, [CheckedApproval(approval, signed=True, signer="k")], now=bench.now)
        == changed
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"candidate": "d" * 64}, "it is about another candidate"),
        ({"verdict": "d" * 64}, "it is about another verdict: what was judged has changed since"),
    ],
)
def test_approval_of_something_else_is_void(held: Verdict, fields: dict[str, Any], why: str) -> None:
    approvals = [by(held, "ann", **fields)]
    state = approval_state(held, approvals, now=held.decided_at)
    assert [reason for _, reason in state.rejected] == [why]
    assert state.missing == 1
    assert apply_approvals(held, approvals, now=held.decided_at) == held


@pytest.mark.parametrize(("left", "decision"), [(1, Decision.PASS), (0, Decision.HOLD)])
def test_approval_expires(held: Verdict, left: int, decision: Decision) -> None:
    now = held.decided_at + timedelta(days=1)
    approval = by(held, "ann", expires_at=now + timedelta(seconds=left))
    assert apply_approvals(held, [approval], now=now).decision is decision


@pytest.mark.parametrize(
    ("signed", "problem", "why"),
    [
        (False, "", "its signature does not count: it is not signed"),
        (False, "unknown key", "its signature does not count: unknown key"),
        (True, "the key is revoked", "its signature does not count: the key is revoked"),
    ],
)
def test_approval_without_a_good_signature_is_void(
    held: Verdict, signed: bool, problem: str, why: str
) -> None:
    approval = replace(by(held, "ann"), signed=signed, problem=problem)
    state = approval_state(held, [approval], now=held.decided_at)
    assert [reason for _, reason in state.rejected] == [why]


def test_approval_from_the_future_is_void(held: Verdict) -> None:
    approval = by(held, "ann", approved_at=held.decided_at + timedelta(hours=1))
    assert approval_state(held, [approval], now=held.decided_at).missing == 1


def test_two_person_rule(held: Verdict) -> None:
    verdict = under(held, ApprovalTerms(needed=2))
    ann, bob = by(verdict, "ann"), by(verdict, "bob")
    now = verdict.decided_at
    assert apply_approvals(verdict, [ann], now=now) == verdict
    assert apply_approvals(verdict, [ann, by(verdict, "ANN ", "key-2")], now=now) == verdict
    assert apply_approvals(verdict, [ann, by(verdict, "bob", "key-ann")], now=now) == verdict
    assert apply_approvals(verdict, [ann, bob], now=now).decision is Decision.PASS


def test_self_approval_ban(held: Verdict) -> None:
    verdict = under(held, ApprovalTerms(self_approval=False))
    now = verdict.decided_at
    for author in ("ann", "key-ann"):
        state = approval_state(verdict, [by(verdict, "ann")], now=now, authors={author})
        assert [why for _, why in state.rejected] == ["its approver signed the evidence"]
    assert not approval_state(verdict, [by(verdict, "ann")], now=now, authors={"ci"}).missing
    assert not approval_state(held, [by(held, "ann")], now=now, authors={"ann"}).missing


def test_one_of_several_keys_is_the_same_person(held: Verdict) -> None:
    verdict = under(held, ApprovalTerms(needed=2, self_approval=False))
    now = verdict.decided_at
    ann, bob = by(verdict, "ann", "k1, k2"), by(verdict, "bob", "k2, k3")
    state = approval_state(verdict, [ann, bob], now=now)
    assert [why for _, why in state.rejected] == ["its key has approved already"]
    assert not approval_state(verdict, [ann, by(verdict, "bob", "k3, k4")], now=now).missing
    for authors in ({"k2"}, {"k9, k2"}, {"K1, k9"}):
        state = approval_state(verdict, [ann], now=now, authors=authors)
        assert [why for _, why in state.rejected] == ["its approver signed the evidence"]
    assert approval_state(verdict, [ann], now=now, authors={"k9, k", "", "k1 k2"}).accepted == (ann,)


def test_named_approvers(held: Verdict) -> None:
    verdict = under(held, ApprovalTerms(approvers=("sue@example.org",)))
    now = verdict.decided_at
    state = approval_state(verdict, [by(verdict, "ann")], now=now)
    assert [why for _, why in state.rejected] == ["its approver is not among those who may approve"]
    assert apply_approvals(verdict, [by(verdict, "Sue@example.org")], now=now).decision is Decision.PASS


def test_changed_terms_void_an_approval(held: Verdict) -> None:
    approval = by(held, "ann")
    laxer = under(held, ApprovalTerms(needed=3))
    assert approval_state(laxer, [approval], now=held.decided_at).accepted == ()


@pytest.mark.parametrize("decision", [Decision.FAIL, Decision.PASS])
def test_only_a_held_verdict_can_be_approved(held: Verdict, decision: Decision) -> None:
    verdict = replace(held, decision=decision)
    with pytest.raises(UsageError, match="only a held one can be approved"):
        make_approval(verdict, "ann", WHY, held.decided_at)
    forged = Approval(verdict.candidate, verdict.digest, "ann", WHY, held.decided_at)
    checked = CheckedApproval(forged, signed=True, signer="key-ann")
    assert apply_approvals(verdict, [checked], now=held.decided_at) == verdict


@pytest.mark.parametrize(("name", "reason"), [("", WHY), ("  ", WHY), ("ann", ""), ("ann", "fine")])
def test_approval_needs_name_and_reason(held: Verdict, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match="an approval needs"):
        make_approval(held, name, reason, held.decided_at)
    with pytest.raises(UsageError, match="expired already"):
        make_approval(held, "ann", WHY, held.decided_at, held.decided_at)


def test_illegible_terms_ask_for_more_and_never_less(held: Verdict) -> None:
    assert ApprovalTerms.of(replace(held, policy={})) == ApprovalTerms(2, self_approval=False)
    with pytest.raises(GateError, match="not legible"):
        approval_state(replace(held, policy={"approvers": "{"}), [], now=held.decided_at)


def test_packs_terms_add_up() -> None:
    lax, two = ApprovalTerms(), ApprovalTerms(2, self_approval=False)
    assert lax.stricter(two) == two.stricter(lax) == two
    ann, both = ApprovalTerms(approvers=("ann",)), ApprovalTerms(approvers=("ann", "bob"))
    assert ann.stricter(both) == ann
    assert lax.stricter(ann) == ann
    with pytest.raises(GateError, match="no person may approve"):
        ann.stricter(ApprovalTerms(approvers=("bob",)))


def test_strict_release_passes_with_two_people(bench: Bench) -> None:
    bench.packs = ("strict",)
    held = bench.decide()
    approvals = [by(held, "ann"), by(held, "bob"), by(held, "ci", "key-ci")]
    assert apply_approvals(held, approvals[1:], now=bench.now, authors={"key-ci"}) == held
    final = apply_approvals(held, approvals, now=bench.now, authors={"key-ci"})
    assert final.decision is Decision.PASS
