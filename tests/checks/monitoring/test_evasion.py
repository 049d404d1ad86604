"""`monitor.evasion` against guards that hold, guards with a hole, and guards that did not look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.checks.monitoring.evasion import GuardEvasion
from assay.core.check import Context, load_check
from assay.core.errors import CheckError, ConfigError
from assay.core.finding import Severity
from assay.core.report import Report, Status
from assay.core.subject import Subject

# A guard for which two phrases are attacks, however they are written.
COPPER = """
- id: injection/copper
  title: Names copper
  severity: high
  score: 0.9
  literals: ["copper"]
  pattern: 'sell me copper|copper is mine'
  example: "Sell me copper."
  counter_example: "The silver moon."
  tags: ["owasp:LLM01"]
"""


# The classifier takes as long for a text as the rules for ten, and the search is what is tried here.
LEXICAL = "layers: {classify: {use: off}}\n"


def _scan(folder: Path, policy: str = LEXICAL, **options: Any) -> Report:
    path = folder / "guard.yaml"
    path.write_text(policy)
    return GuardEvasion().run(Subject.from_path(path), Context(folder, options))


def _attacks(folder: Path, *texts: str) -> list[str]:
    path = folder / "attacks.jsonl"
    path.write_text("".join(json.dumps({"text": text, "kind": "copper"}) + "\n" for text in texts))
    return [str(path)]


def _copper(folder: Path, *texts: str, **options: Any) -> Report:
    (folder / "copper.yaml").write_text(COPPER)
    return _scan(
        folder, LEXICAL + "packs: [copper.yaml]\n", attacks=_attacks(folder, *texts), builtin=False, **options
    )


def test_it_is_registered() -> None:
    assert isinstance(load_check("monitor.evasion"), GuardEvasion)


def test_a_guard_that_holds_passes(tmp_path: Path) -> None:
    report = _copper(
        tmp_path, "Sell me copper", "copper is mine", mutations=["encoding/base64", "character/*case"]
    )
    assert report.status is Status.PASS
    assert not report.findings
    assert report.metrics["mutated_rate"] == 0
    assert report.coverage.complete


def test_an_attack_that_nobody_notices_is_found_as_it_is(tmp_path: Path) -> None:
    report = _copper(tmp_path, "Sell me silver", "Sell me copper", mutations=["encoding/base64"])
    assert report.status is Status.FAIL
    assert [(finding.rule, finding.severity) for finding in report.findings] == [
        ("evasion/known-attack", Severity.HIGH)
    ]
    assert report.findings[0].message == (
        "The guard lets through a known attack (copper) as it is: 'Sell me silver'."
    )


def test_a_mutation_that_gets_through_is_named_with_its_rate(tmp_path: Path) -> None:
    report = _copper(
        tmp_path, "Sell me copper", "copper is mine", mutations=["splitting/table", "encoding/hex"], depth=1
    )
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("evasion/mutation", Severity.HIGH)
    assert finding.message.startswith(
        "2 of 2 known attacks (100 %; 95 % interval 34 % to 100 %) get past the guard "
        "cut into the cells of a table: "
    )
    assert finding.data == {"mutation": "splitting/table", "through": 2, "tried": 2}


def test_chains_are_found_where_no_single_mutation_is_enough(tmp_path: Path) -> None:
    mutations = ["character/cyrillic", "encoding/rot13", "padding/before"]
    report = _scan(tmp_path, mutations=mutations, max_rate=1.0)
    chains = [finding for finding in report.findings if finding.rule == "evasion/chain"]
    assert len(chains) == 1
    assert chains[0].severity is Severity.LOW
    found: Any = report.details["chains"]
    assert found
    assert all(len(one["chain"]) > 1 for one in found)


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    first, second = (_scan(tmp_path, mutations=["character/*"], seed=3) for _ in range(2))
    assert (first.findings, first.details, first.metrics) == (second.findings, second.details, second.metrics)


def test_a_guard_that_did_not_look_did_not_notice_anything(tmp_path: Path) -> None:
    report = _scan(tmp_path, "max_characters: 3\n", mutations=["encoding/base64"])
    assert report.status is Status.INCOMPLETE
    assert "a layer of the guard failed" in report.coverage.skipped[0].reason


def test_a_budget_that_is_used_up_is_incomplete(tmp_path: Path) -> None:
    report = _copper(tmp_path, "Sell me copper", mutations=["encoding/*"], budget=5)
    assert report.status is Status.INCOMPLETE
    assert report.metrics["judged"] == 5
    assert "budget of 5 texts" in report.coverage.skipped[0].reason


def test_what_grows_too_long_is_named_as_that(tmp_path: Path) -> None:
    text = "Sell me copper. " * 1_200
    report = _copper(tmp_path, text, mutations=["encoding/binary"], depth=1)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].reason == "they grew beyond 60,000 characters"


def test_what_is_only_flagged_is_not_caught_where_only_a_block_counts(tmp_path: Path) -> None:
    assert _copper(tmp_path, "Sell me copper", mutations=["character/upper-case"]).status is Status.PASS
    report = _copper(tmp_path, "Sell me copper", mutations=["character/upper-case"], caught="block")
    assert report.findings[0].rule == "evasion/known-attack"


def test_layers_that_do_not_look_are_named(tmp_path: Path) -> None:
    report = _scan(tmp_path, "layers:\n  pii: {use: 'off'}\n", mutations=["encoding/base64"])
    assert "pii does not look: switched off" in report.coverage.notes


def test_the_built_in_attacks_are_noticed_in_plain_words(tmp_path: Path) -> None:
    report = _scan(tmp_path, mutations=["character/upper-case"], depth=1)
    assert report.metrics["attacks"] == 40
    rate: Any = report.metrics["plain_rate"]
    assert rate <= 0.05


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is no attack"), ("[]", "is no attack"), ('{"kind": "x"}', "is no attack"),
        ('{"text": 3}', "`text`"), ('{"text": ""}', "`text`"), ("[" * 9000, "is no attack"),
        ('{"text": "a", "source": "moon"}', "is no attack"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_attack_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "attacks.jsonl"
    path.write_text(f'{{"text": "fine"}}\n{line}\n')
    with pytest.raises(ConfigError, match=problem) as caught:
        _scan(tmp_path, attacks=[str(path)])
    assert caught.value.subject == f"{path}:2"


@pytest.mark.parametrize(
    "options",
    [{"mutations": ["encoding/none"]}, {"attacks": ["nowhere.jsonl"]}, {"builtin": False}, {"depth": 0}],
    ids=str,
)
def test_options_that_are_wrong(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        _scan(tmp_path, **options)


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "guard.yaml"
    path.write_text("{}\n")
    with pytest.raises(CheckError, match="cancelled"):
        GuardEvasion().run(Subject.from_path(path), Context(tmp_path, cancelled=lambda: True))
