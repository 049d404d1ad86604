"""docs/guard.md says what is: its commands and its Python run, its tables are the code's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from assay.cli.app import run
from assay.guard.guard import Guard
from assay.guard.layers.opening import NAMES
from assay.guard.match import everything
from assay.guard.policy import DEFAULT_ACTIONS, load_policy, parse_policy
from assay.guard.scoring import HEAD_OF
from assay.guard.verdict import Action, Source

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guard.md").read_text(encoding="utf-8")
OFF = "layers: {classify: {use: off}}\n"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in re.findall(r"^\| .* \|$", section, re.MULTILINE)[1:]
        if not set(line) <= set("|- ")
    ]


def test_the_example_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lexical.yaml").write_text(OFF)
    command, shown = blocks("")[0].split("\n", 1)
    assert run(shlex.split(command.removeprefix("$ assay "))) == 1
    printed = capsys.readouterr().out
    for part in shown.split("…\n"):
        assert part in printed


def test_the_python_runs() -> None:
    (source,) = blocks("python")
    exec(compile(source, "guard.md", "exec"), {})


def test_the_policy_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, pack = blocks("yaml")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yaml").write_text(pack)
    (tmp_path / "guard.yaml").write_text(policy)
    monkeypatch.setenv("GUARD_KEY", "0123456789abcdef")
    guard = Guard(load_policy(tmp_path / "guard.yaml"))
    assert guard.policy.routes["/v1/embeddings"].certain is Action.FLAG
    (rule,) = yaml.safe_load(pack)
    for text in (rule["example"], "About Project B\u200bluebird", "cHJvamVjdCBibHVlYmlyZCBzaGlwcyBzb29u"):
        assert "ours/code-name" in {one.rule for one in guard.judge(text).detections}
    assert guard.judge(rule["counter_example"]).detections == ()


def test_every_layer_is_described() -> None:
    assert [name for name, *_ in rows("Layers")] == [f"`{name}`" for name in NAMES]


def test_every_family_is_described_with_the_head_it_counts_for() -> None:
    families = {rule.family for rule in everything().rules} | {"pii"}
    described = {row[0].strip("`"): (row[3:] or [""])[0] for row in rows("What it catches")}
    assert set(described) == families
    assert {name: head for name, head in described.items() if head} == {
        name: head for name, head in HEAD_OF.items() if name in families
    }


def test_the_built_in_actions_are_those_of_the_code() -> None:
    told = [
        (
            f"`{one.rule}`",
            ", ".join(source.value for source in one.sources),
            "" if one.severity.value == "info" else one.severity.value,
            one.action.value,
        )
        for one in DEFAULT_ACTIONS
    ]
    assert [(row[0].split(" (")[0], *row[1:]) for row in rows("Policy")] == told


def test_every_key_and_every_source_is_in_the_policy_section() -> None:
    section = PAGE.split("\n## Policy\n")[1].split("\n## ")[0]
    assert all(f"`{source.value}`" in section for source in Source)
    (policy, _) = blocks("yaml")
    assert parse_policy({**yaml.safe_load(policy), "packs": []}).max_characters == 1 << 20
