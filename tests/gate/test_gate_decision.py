from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from assay.core.check import load_check
from assay.core.finding import Severity
from assay.core.release import Decision, NotApplicable
from assay.core.report import Coverage, Skipped, Status
from assay.core.subject import Subject, SubjectKind
from assay.gate import Champion, CheckedEvidence, RegistryState, Settings, load_pack

Bench = Any  # conftest's; importlib mode has no name for it
MakeEvidence = Callable[..., CheckedEvidence]
DAY = timedelta(days=1)
REASON = "there is no training data in this project"


def other(kind: SubjectKind) -> Subject:
    return Subject(kind, "another", {"sha256": "f" * 64}, "/nowhere")


def test_complete_release_passes(bench: Bench) -> None:
    verdict = bench.decide()
    assert verdict.reasons == ()
    assert verdict.decision is Decision.PASS
    assert verdict.model == "bot"
    assert verdict.candidate == bench.candidate.digest
    assert verdict.policy["packs"] == "baseline"
    assert verdict.engine.startswith("regopy 1.")
    assert verdict.decided_at == bench.now


def test_first_release_passes_without_a_baseline(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.registry = RegistryState("champion", None)
    for check in ("model.weights-diff", "model.behavior-diff"):
        bench.checks[check] = findings_of(check, metrics={"compared": False})
        bench.change(check, baseline=None)
    assert bench.decide().decision is Decision.PASS


def test_every_required_check_is_missed(bench: Bench) -> None:
    names = sorted(load_pack("baseline").settings["required"])
    bench.checks.clear()
    assert bench.reasons() == [("fail", "evidence-missing", name) for name in names]


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        (
            {"status": Status.INCOMPLETE, "message": "a.bin: unknown format"},
            "check-incomplete",
            "artifact.scan is incomplete: a.bin: unknown format",
        ),
        (
            {"status": Status.ERROR, "message": "crashed: KeyError"},
            "check-error",
            "artifact.scan could not do its work: crashed: KeyError",
        ),
        (
            {"coverage": Coverage("files", 3, (Skipped("b.bin", "too large"),))},
            "check-incomplete",
            "artifact.scan says pass but did not examine everything",
        ),
        (
            {"coverage": Coverage("files", 0)},
            "check-incomplete",
            "artifact.scan says pass but did not examine everything",
        ),
        (
            {"signed": False, "problem": "no signature"},
            "evidence-unsigned",
            "the evidence of artifact.scan is not signed by a trusted key: no signature",
        ),
        (
            {"signed": True, "problem": "the key is revoked"},
            "evidence-unsigned",
            "the evidence of artifact.scan is not signed by a trusted key: the key is revoked",
        ),
        (
            {"subject": other(SubjectKind.FOLDER)},
            "subject-mismatch",
            "the evidence of artifact.scan is about other bytes than this candidate's",
        ),
        (
            {"check": "data.hygiene"},
            "subject-mismatch",
            "the evidence of artifact.scan is about other bytes than this candidate's",
        ),
    ],
)
def test_evidence_that_cannot_be_relied_on_refuses(
    bench: Bench, change: dict[str, Any], reason: str, message: str
) -> None:
    bench.change("artifact.scan", **change)
    (found,) = bench.decide().reasons
    assert (found.decision, found.id, found.check) == (Decision.FAIL, reason, "artifact.scan")
    assert found.message == message
    assert found.remedy
    assert found.pack == "baseline"


def test_failed_check_says_what_it_found(bench: Bench, findings_of: MakeEvidence) -> None:
    severities = {Severity.CRITICAL: 2, Severity.LOW: 1}
    bench.checks["artifact.scan"] = findings_of("artifact.scan", severities=severities)
    (found,) = bench.decide().reasons
    assert found.message == "artifact.scan failed: 2 critical, 1 low; worst: saw thing 0 (file0)"
    assert found.remedy == (
        "Correct it and run `assay run` again; `assay check artifact.scan` shows every finding."
    )


@pytest.mark.parametrize(("age", "expected"), [(30 * DAY, []), (31 * DAY, ["evidence-stale"])])
def test_age(bench: Bench, age: timedelta, expected: list[str]) -> None:
    bench.finished("data.hygiene", age)
    reasons = bench.decide().reasons
    assert [reason.id for reason in reasons] == expected
    if reasons:
        assert reasons[0].message == "the evidence of data.hygiene is 31 days old; 30 are allowed"


@pytest.mark.parametrize(
    ("ahead", "expected"), [(timedelta(minutes=5), []), (timedelta(minutes=6), ["evidence-future"])]
)
def test_evidence_from_the_future(bench: Bench, ahead: timedelta, expected: list[str]) -> None:
    bench.finished("data.hygiene", -ahead)
    assert [reason.id for reason in bench.decide().reasons] == expected


@pytest.mark.parametrize("metrics", [{}, {"compared": False}, {"compared": "yes"}, {"compared": 1}])
def test_comparison_that_did_not_compare_refuses(
    bench: Bench, findings_of: MakeEvidence, metrics: dict[str, Any]
) -> None:
    bench.checks["model.behavior-diff"] = findings_of("model.behavior-diff", metrics=metrics)
    (found,) = bench.decide().reasons
    assert found.id == "not-compared"
    assert found.message == "model.behavior-diff did not compare with the champion, version 3"


def test_comparison_with_an_old_champion_refuses(bench: Bench) -> None:
    bench.registry = RegistryState("champion", Champion("4", "", {"model": "7" * 64}))
    assert bench.reasons() == [
        ("fail", "wrong-baseline", "model.behavior-diff"),
        ("fail", "wrong-baseline", "model.weights-diff"),
    ]


def test_endpoint_that_serves_another_model_refuses(bench: Bench) -> None:
    endpoint = bench.checks["model.behavior-diff"].report.subject
    bench.change("model.behavior-diff", subject=replace(endpoint, serves=other(SubjectKind.FOLDER)))
    assert bench.reasons() == [("fail", "subject-mismatch", "model.behavior-diff")]


def test_endpoint_that_is_bound_to_no_model_refuses(bench: Bench) -> None:
    endpoint = bench.checks["model.behavior-diff"].report.subject
    bench.change("model.behavior-diff", subject=replace(endpoint, serves=None))
    assert bench.reasons() == [("fail", "subject-mismatch", "model.behavior-diff")]


def test_declaration_waives_a_check(bench: Bench) -> None:
    del bench.checks["data.poisoning"]
    bench.declared = [NotApplicable("data.poisoning", REASON)]
    assert bench.decide().decision is Decision.PASS


def test_expired_declaration_refuses(bench: Bench) -> None:
    del bench.checks["data.poisoning"]
    bench.declared = [NotApplicable("data.poisoning", REASON, bench.now)]
    assert bench.reasons() == [("fail", "declaration-expired", "data.poisoning")]


def test_declaration_cannot_waive_the_scan(bench: Bench) -> None:
    del bench.checks["artifact.scan"]
    bench.declared = [NotApplicable("artifact.scan", REASON)]
    assert bench.reasons() == [("fail", "declaration-refused", "artifact.scan")]


def test_project_cannot_let_the_scan_be_waived(bench: Bench) -> None:
    del bench.checks["artifact.scan"]
    bench.declared = [NotApplicable("artifact.scan", REASON)]
    bench.settings = Settings(user={"baseline": {"never_waived": [], "required": []}})
    assert bench.reasons() == [("fail", "declaration-refused", "artifact.scan")]
    bench.declared = []
    assert bench.reasons() == [("fail", "evidence-missing", "artifact.scan")]


def test_project_may_ask_for_more(bench: Bench) -> None:
    bench.settings = Settings(user={"baseline": {"required": ["model.backdoor"]}})
    assert bench.reasons() == [("fail", "evidence-missing", "model.backdoor")]
    bench.declared = [NotApplicable("model.backdoor", REASON)]
    assert bench.reasons() == []
    bench.settings = Settings(user={"baseline": {"never_waived": ["model.backdoor"]}})
    assert bench.reasons() == [("fail", "declaration-refused", "model.backdoor")]


def test_overridden_settings_are_named(bench: Bench) -> None:
    assert "overridden" not in bench.decide().policy
    bench.packs = ("strict",)
    bench.settings = Settings(
        user={"strict": {"max_age_days": 6}, "baseline": {"review": []}, "own": {"a": 1}}
    )
    assert bench.decide().policy["overridden"] == "baseline.review, strict.max_age_days"
    bench.settings = Settings(user={"baseline": 3, "own": {"a": 1}})
    verdict = bench.decide()
    assert "overridden" not in verdict.policy
    assert [reason.id for reason in verdict.reasons] == ["policy-error"]


def test_declaration_cannot_hide_what_was_found(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.checks["data.poisoning"] = findings_of("data.poisoning", severities={Severity.HIGH: 1})
    bench.declared = [NotApplicable("data.poisoning", REASON)]
    assert bench.reasons() == [("fail", "declaration-contradicted", "data.poisoning")]


@pytest.mark.parametrize("status", [Status.INCOMPLETE, Status.ERROR])
def test_declaration_cannot_hide_what_was_not_examined(bench: Bench, status: Status) -> None:
    bench.change("data.poisoning", status=status)
    bench.declared = [NotApplicable("data.poisoning", REASON)]
    (found,) = bench.decide().reasons
    assert (found.decision, found.id) == (Decision.FAIL, "declaration-contradicted")
    assert (
        found.message == f"data.poisoning is declared not applicable, yet it ran on this candidate: {status}"
    )


def test_declaration_although_the_part_is_there_holds(bench: Bench) -> None:
    bench.declared = [NotApplicable("data.poisoning", REASON)]
    held = [("hold", "declared-although-present", "data.poisoning")]
    assert bench.reasons() == held
    del bench.checks["data.poisoning"]
    bench.roles = {"data.poisoning": "data"}
    assert bench.reasons() == held


def test_declaration_of_what_the_candidate_lacks_passes(bench: Bench) -> None:
    del bench.checks["model.behavior-diff"]
    bench.declared = [NotApplicable("model.behavior-diff", "there is no endpoint to ask")]
    bench.roles = {"model.behavior-diff": "endpoint"}
    assert bench.reasons() == []


def test_other_options_than_now_refuse(bench: Bench) -> None:
    bench.change("artifact.scan", options={"max_depth": 4}, options_match=False)
    (found,) = bench.decide().reasons
    assert (found.decision, found.id, found.check) == (Decision.FAIL, "options-changed", "artifact.scan")
    assert found.message == "artifact.scan ran with other options than assay.yaml sets now"
    assert found.remedy == "Run `assay run` again."
    bench.change("artifact.scan", options_match=True)
    assert bench.reasons() == []


@pytest.mark.parametrize(
    ("check", "options", "messages"),
    [
        ("artifact.scan", {"fail_on": "critical"}, ["fail_on: critical"]),
        (
            "artifact.scan",
            {"allow": {"a.b": 'we "know"', "c.d": ""}},
            ["allow, a.b: we 'know'", "allow, c.d: "],
        ),
        ("artifact.scan", {"allow": {}, "fail_on": None}, ["allow: empty", "fail_on: none"]),
        ("artifact.scan", {"allow": ["x", ["y"]]}, ["allow, 0: x", "allow, 1: … (sha256 8fbad084cb758606)"]),
        ("model.weights-diff", {"max_relative_l2": 0.9, "workers": 2}, ["max_relative_l2: 0.9"]),
        ("model.behavior-diff", {"significance": 1e-9}, ["significance: 1e-09"]),
        ("data.poisoning", {"min_rows": 50, "q": False}, ["min_rows: 50", "q: false"]),
        ("data.hygiene", {"fail_on": "high"}, ["fail_on: high"]),
        ("supply.sbom", {"fail_on": "critical", "verify_files": False}, ["fail_on: critical"]),
        ("supply.sbom", {"verify_files": False}, []),
    ],
)
def test_options_that_weaken_a_check_hold(
    bench: Bench, check: str, options: dict[str, Any], messages: list[str]
) -> None:
    bench.change(check, options=options)
    found = bench.decide().reasons
    assert [reason.message for reason in found] == [f"{check} ran with {text}" for text in messages]
    assert {(reason.decision, reason.id) for reason in found} <= {(Decision.HOLD, "options-review")}


def test_options_named_for_review_exist() -> None:
    for check, names in load_pack("baseline").settings["review_options"].items():
        assert set(names) <= {field.name for field in fields(load_check(check).info.options)}


def test_medium_findings_that_passed_hold(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 3}, fail_on=Severity.HIGH
    )
    verdict = bench.decide()
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].message == ("data.hygiene passed with 3 medium; worst: saw thing 0 (file0)")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.75, "model.weights-diff: the weights' relative change (relative_l2) is 0.75, above 0.5"),
        (float("nan"), "model.weights-diff: the weights' relative change (relative_l2) is nan, above 0.5"),
    ],
)
def test_large_weight_change_holds(
    bench: Bench, findings_of: MakeEvidence, value: float, message: str
) -> None:
    metrics = {"compared": True, "relative_l2": value}
    bench.checks["model.weights-diff"] = findings_of("model.weights-diff", metrics=metrics)
    (found,) = bench.decide().reasons
    assert (found.decision, found.id, found.message) == (Decision.HOLD, "review-metric", message)


def test_fail_outweighs_hold_and_comes_first(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 1}, fail_on=Severity.HIGH
    )
    bench.checks["supply.sbom"] = findings_of("supply.sbom", severities={Severity.HIGH: 1})
    verdict = bench.decide()
    assert verdict.decision is Decision.FAIL
    assert [reason.id for reason in verdict.reasons] == ["check-failed", "medium-findings"]


def test_strict_asks_for_two_people(bench: Bench) -> None:
    bench.packs = ("strict",)
    verdict = bench.decide()
    assert [(r.decision.value, r.id, r.pack) for r in verdict.reasons] == [
        ("hold", "two-person-rule", "strict")
    ]
    assert verdict.policy["approvals_needed"] == "2"
    assert verdict.policy["self_approval"] == "forbidden"


def test_an_unsigned_model_is_excused_by_baseline_and_not_by_strict(bench: Bench) -> None:
    bench.change(
        "artifact.signature",
        status=Status.INCOMPLETE,
        message="the model: it is not signed",
        metrics={"demanded": False},
    )
    assert bench.reasons() == []
    bench.packs = ("strict",)
    assert bench.reasons() == [
        ("fail", "not-established", "artifact.signature"),
        ("hold", "two-person-rule", ""),
    ]
    bench.packs = ("baseline",)
    bench.change("artifact.signature", metrics={"demanded": True})
    assert bench.reasons() == [("fail", "check-incomplete", "artifact.signature")]


def test_strict_refuses_what_baseline_holds(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.packs = ("strict",)
    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 1}, fail_on=Severity.HIGH
    )
    bench.finished("supply.sbom", 8 * DAY)
    assert bench.reasons() == [
        ("fail", "findings-refused", "data.hygiene"),
        ("fail", "evidence-not-recent", "supply.sbom"),
        ("hold", "two-person-rule", ""),
    ]


def test_two_packs_decide_together(bench: Bench) -> None:
    reason = '{"id": "r", "decision": "hold", "message": "look"}'
    bench.write_pack(f"evaluated := true\nreasons contains {reason} if input.model")
    bench.packs = ("baseline", "ours")
    assert bench.reasons() == [("hold", "r", "")]
    del bench.checks["artifact.scan"]
    assert bench.reasons() == [("fail", "evidence-missing", "artifact.scan"), ("hold", "r", "")]


def test_same_evidence_gives_the_same_digest_later(bench: Bench, findings_of: MakeEvidence) -> None:
    bench.checks["data.hygiene"] = findings_of(
        "data.hygiene", severities={Severity.MEDIUM: 1}, fail_on=Severity.HIGH
    )
    before = bench.decide()
    bench.now += timedelta(hours=1)
    after = bench.decide()
    assert (before.digest, before.decision) == (after.digest, Decision.HOLD)
    assert before.input_digest != after.input_digest


@pytest.mark.parametrize(
    "settings", [Settings(max_age_seconds=86_400), Settings(user={"baseline": {"required": []}})]
)
def test_other_settings_are_another_policy(bench: Bench, settings: Settings) -> None:
    before = bench.decide().policy["sha256"]
    bench.settings = settings
    assert bench.decide().policy["sha256"] != before
