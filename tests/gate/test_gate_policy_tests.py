from __future__ import annotations

from typing import Any

import pytest

from assay.gate import load_pack, open_engine, run_policy_tests

Bench = Any  # conftest's; importlib mode has no name for it
PACK = """evaluated := true

reasons contains {"id": "big", "decision": "hold", "message": "big"} if more(input.model)

more(name) if count(name) > data.settings.ours.limit
"""
HEAD = "package assay.ours_test\n\nimport data.assay.ours\nimport rego.v1\n\n"


def run(bench: Bench, tests: str) -> tuple[bool, dict[str, tuple[str, str]], str]:
    bench.write_pack(PACK, pack__yaml="settings: {limit: 3}\n", ours_test__rego=HEAD + tests)
    found = run_policy_tests(load_pack("ours", root=bench.folder), open_engine(deadline=20))
    return found.passed, {r.name: (r.outcome, r.message) for r in found.results}, found.message


def test_outcomes(bench: Bench) -> None:
    passed, results, message = run(
        bench,
        """
long := {"model": "long name"}

test_long if count(ours.reasons) == 1 with input as long

test_short if {
	count(ours.reasons) == 0 with input as {"model": "x"} # } a comment
}

test_other_limit if count(ours.reasons) == 0 with input as long with data.settings.ours.limit as 99

test_part if count(ours.reasons) == 1 with input.model as "long name"

test_wrong if count(ours.reasons) == 0 with input as long

test_false := false

test_error if 1 / 0 == 1

todo_test_later if false
""",
    )
    undefined = ("fail", "is undefined: a line of it does not hold")
    assert not passed
    assert results == {
        "test_long": ("pass", ""),
        "test_short": ("pass", ""),
        "test_other_limit": ("pass", ""),
        "test_part": ("pass", ""),
        "test_wrong": undefined,
        "test_false": ("fail", "is False, not true"),
        "test_error": ("error", "divide by zero"),
        "todo_test_later": ("skipped", ""),
    }
    assert message == "pack ours: 4 pass, 2 fail, 1 error, 1 skipped"


def test_all_passing(bench: Bench) -> None:
    passed, _, message = run(bench, 'test_a if count(ours.reasons) == 1 with input as {"model": "long"}\n')
    assert passed
    assert message == "pack ours: 1 pass"


@pytest.mark.parametrize("tests", ["", "helper := 1\n", "todo_test_later if true\n"])
def test_nothing_that_ran_is_no_pass(bench: Bench, tests: str) -> None:
    passed, _, message = run(bench, tests)
    assert not passed
    assert message in {
        "pack ours has no tests: write test_* rules in a *_test.rego file",
        "pack ours: 1 skipped",
    }


def test_pack_without_a_test_file_is_no_pass(bench: Bench) -> None:
    bench.write_pack(PACK, pack__yaml="settings: {limit: 3}\n")
    assert not run_policy_tests(load_pack("ours", root=bench.folder), open_engine()).passed


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        (
            'test_a if {\n\tours.evaluated with input as {"a": 1}\n\tours.evaluated with input as {}\n}\n',
            "line 8: input has two values in one test",
        ),
        (
            "found(d) := ours.reasons with input as d\n\ntest_a if count(found({})) == 0\n",
            "line 6: `with` stands outside a test",
        ),
        (
            'test_a if {\n\tname := {"model": "x"}\n\tcount(ours.reasons) == 0 with input as name\n}\n',
            "the value after `as` is undefined; it must not use the test's own variables",
        ),
    ],
)
def test_with_that_cannot_be_rewritten_is_an_error(bench: Bench, tests: str, message: str) -> None:
    passed, results, _ = run(bench, tests)
    assert not passed
    assert results["test_a"] == ("error", message)


def test_crash_of_one_test_spares_the_others(bench: Bench) -> None:
    _, results, _ = run(bench, "test_a if no.such(1)\n\ntest_b if true\n")
    assert results["test_a"][0] == "error"
    assert results["test_b"][0] == "pass"
