"""Whatever goes wrong in a policy refuses; each has a twin that works."""

from __future__ import annotations

from typing import Any

import pytest

from assay.core.errors import ConfigError, GateError
from assay.core.release import Decision, Verdict
from assay.gate import Settings, decide, load_packs, open_engine

Bench = Any  # conftest's; importlib mode has no name for it
HOLD = '{"id": "look", "decision": "hold", "message": "look at it", "check": "", "remedy": "look"}'


def refused(verdict: Verdict) -> str:
    """The message of a verdict that is `fail` because the policy could not be evaluated."""
    assert verdict.decision is Decision.FAIL
    (reason,) = verdict.reasons
    assert reason.id == "policy-error"
    assert reason.remedy
    return reason.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("reasons := set()", "`evaluated` is not true"),
        ("evaluated := false\nreasons := set()", "`evaluated` is not true"),
        ("evaluated := true", "`reasons` is not a set"),
        ("evaluated := true if input.model == 1\nreasons := set()", "`evaluated` is not true"),
        ('evaluated := true\nreasons := {"a": 1}', "`reasons` is not a set"),
        ('evaluated := true\nreasons := {"text"}', "a reason must be an object"),
        ('evaluated := true\nreasons := {{"id": "x", "decision": "fail"}}', "a reason must be an object"),
        (f"evaluated := true\nreasons := {{{HOLD.replace('hold', 'pass')}}}", "must be fail or hold"),
        (f"evaluated := true\nreasons := {{{HOLD.replace('look at it', '')}}}", "not empty"),
        (
            'evaluated := true\nreasons := {{"id": "x", "decision": "fail", "message": 1}}',
            "must be text",
        ),
        (f"evaluated := true\nreasons := {{{HOLD}}}\napprovals_needed := 0", "`approvals_needed` must be"),
        (f"evaluated := true\nreasons := {{{HOLD}}}\napprovals_needed := true", "`approvals_needed` must be"),
        (f'evaluated := true\nreasons := {{{HOLD}}}\nself_approval := "no"', "`self_approval` must be"),
        (f"evaluated := true\nreasons := {{{HOLD}}}\napprovers := set()", "nobody could approve"),
        ("evaluated := ", "ours/ours.rego:5: Invalid assignment operator"),
        ("evaluated := true\nreasons := no.such(1)", "Function not found: no.such"),
        (
            "evaluated := true\nreasons contains r if {\n\tnot no.such(input.model)\n\tr := 1\n}",
            "Function not found: no.such",
        ),
        ("evaluated := true\nreasons := 1 / 0", "divide by zero"),
        ('evaluated := true\nreasons contains to_number("x")', "policy pack ours: data.assay.ours"),
        (
            'evaluated := true\nevaluated := false if input.model == "bot"\nreasons := set()',
            "complete rules must not produce multiple outputs",
        ),
        (
            "evaluated := true\nreasons contains f(1)\nf(x) := 1 if x > 0\nf(x) := 2 if x < 2",
            "functions must not produce multiple outputs",
        ),
        ("evaluated := true\nreasons := r\nr := reasons", "Recursion detected"),
    ],
)
def test_broken_policy_refuses(bench: Bench, body: str, message: str) -> None:
    bench.write_pack(body)
    bench.packs = ("ours",)
    assert message in refused(bench.decide())


def test_sound_policy_decides(bench: Bench) -> None:
    bench.write_pack(f'evaluated := true\nreasons contains {HOLD} if input.model == "bot"')
    bench.packs = ("ours",)
    assert bench.reasons() == [("hold", "look", "")]
    bench.write_pack(f'evaluated := true\nreasons contains {HOLD} if input.model == "other"')
    assert bench.decide().decision is Decision.PASS


def test_broken_pack_beside_a_sound_one_refuses(bench: Bench) -> None:
    bench.write_pack("evaluated := true\nreasons := 1 / 0")
    bench.packs = ("baseline", "ours")
    assert "divide by zero" in refused(bench.decide())


def test_endless_policy_is_stopped(bench: Bench) -> None:
    bench.write_pack(
        "evaluated := true\n"
        "reasons contains x if {\n\tsome x in numbers.range(1, 4000)\n\tsome y in numbers.range(1, 4000)\n"
        "\tx * y < 0\n}"
    )
    bench.packs = ("ours",)
    bench.deadline = 1.0
    assert "did not finish in 1 s" in refused(bench.decide())


def test_greedy_policy_is_stopped(bench: Bench) -> None:
    bench.write_pack("evaluated := true\nreasons := {count(numbers.range(1, 100000000))}")
    bench.packs = ("ours",)
    bench.deadline = 3.0
    message = refused(bench.decide())
    assert "did not finish" in message or "crashed" in message or "engine failed" in message


def test_too_many_reasons_refuse(bench: Bench) -> None:
    reason = HOLD.replace('"look at it"', 'sprintf("%v", [n])')
    bench.write_pack(f"evaluated := true\nreasons contains {reason} if some n in numbers.range(1, 501)")
    bench.packs = ("ours",)
    assert "more than 500 reasons" in refused(bench.decide())


def test_no_pack_refuses(bench: Bench) -> None:
    assert "no policy pack decides" in refused(decide(bench.document(), (), open_engine()))


def test_user_data_that_fits_no_setting_refuses(bench: Bench) -> None:
    bench.settings = Settings(user={"baseline": {"requierd": []}})
    assert "pack baseline has no setting 'requierd'" in refused(bench.decide())
    bench.settings = Settings(user={"baseline": {"required": "artifact.scan"}})
    assert "policy.data.baseline.required must be a list" in refused(bench.decide())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("checks"),
        lambda d: d.update(version=2),
        lambda d: d.update(checks={"artifact.scan": {"present": True, "zeal": 1}}),
        lambda d: d.update(candidate="all"),
        lambda d: d.update(settings=3),
        lambda d: d.update(now={}),
        lambda d: d["registry"].update(champion=[]),
    ],
)
def test_document_that_does_not_fit_its_schema_refuses(bench: Bench, spoil: Any) -> None:
    document = bench.document()
    spoil(document)
    assert "gate input: does not fit its schema" in refused(bench.decide(document))


def test_document_that_is_not_json_is_an_error(bench: Bench) -> None:
    document = bench.document()
    document["model"] = float("nan")
    with pytest.raises(GateError, match="is not canonical JSON"):
        bench.decide(document)


@pytest.mark.parametrize(
    "body",
    [
        'evaluated := true\nreasons := http.send({"method": "get", "url": "http://127.0.0.1:9/"})',
        'evaluated := true\nreasons := http["send"]({"method": "get", "url": "http://127.0.0.1:9/"})',
        "evaluated := true\nreasons := opa.runtime()",
        'evaluated := true\nreasons := net.lookup_ip_addr("localhost")',
        "evaluated := true\nreasons := {x | x := time.now_ns()}",
        'evaluated := true\nreasons := {x | x := rand.intn("a", 2)}',
    ],
)
def test_policy_cannot_reach_beyond_its_input(bench: Bench, body: str) -> None:
    bench.write_pack(body)
    with pytest.raises(ConfigError, match="which a policy may not"):
        load_packs(("ours",), root=bench.folder)


def test_finding_cannot_write_a_reason(bench: Bench) -> None:
    """regopy's `trim` writes text unescaped: a message could add a key to the reason that quotes it."""
    hostile = 'x","decision":"hold","id":"harmless'
    report = bench.checks["artifact.scan"].report
    bench.change("artifact.scan", message=hostile, status=type(report.status).ERROR)
    bench.write_pack(
        "evaluated := true\nreasons contains r if {\n"
        '\tmessage := trim(input.checks["artifact.scan"].message, " ")\n'
        '\tr := {"decision": "fail", "id": "quoted", "message": message}\n}'
    )
    bench.packs = ("ours",)
    (reason,) = bench.decide().reasons
    assert (reason.id, reason.decision) == ("quoted", Decision.FAIL)
    assert reason.message == "x','decision':'hold','id':'harmless"
