"""The GitHub Action and the pre-commit hook, run as their hosts run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
EVIL = b"cos\nsystem\n(S'x'\ntR."


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "two models"
    folder.mkdir()
    (folder / "good.pkl").write_bytes(b"\x80\x02}.")
    (folder / "evil.pkl").write_bytes(EVIL)
    return folder


def act(tmp_path: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """Exit code, outputs and job summary of the action's one step."""
    step = ACTION["runs"]["steps"][0]
    assay = tmp_path / "assay"
    assay.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from assay.cli import main; main()' \"$@\"\n")
    assay.chmod(0o755)
    given = {name: str(inputs.get(name, spec.get("default", ""))) for name, spec in ACTION["inputs"].items()}
    environment = {
        **os.environ,
        "ASSAY": str(assay),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "RUNNER_TEMP": str(tmp_path),
    }
    for variable, expression in step["env"].items():
        (name,) = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", expression).groups()  # type: ignore[union-attr]
        environment[variable] = given[name]
    command = step["run"].replace("$GITHUB_ACTION_PATH", str(ROOT))
    done = subprocess.run(
        ["bash", "-c", command], env=environment, cwd=tmp_path, check=False, capture_output=True
    )
    output = (tmp_path / "output").read_text()
    return done.returncode, dict(line.split("=", 1) for line in output.splitlines()), output


def test_the_action_fails_on_findings_and_leaves_reports(models: Path, tmp_path: Path) -> None:
    code, outputs, _ = act(tmp_path, path=f"{models / 'good.pkl'}\n\n{models / 'evil.pkl'}\n")
    assert (code, outputs["exit-code"]) == (1, "1")
    sarif = json.loads(Path(outputs["sarif"]).read_text())
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["pickle/dangerous-global"]
    assert json.loads(Path(outputs["json"]).read_text())["summary"]["critical"] == 1
    assert "pickle/dangerous-global" in (tmp_path / "summary").read_text()
    assert set(outputs) == set(ACTION["outputs"])


def test_the_action_passes_what_is_clean(models: Path, tmp_path: Path) -> None:
    report = tmp_path / "scan.md"
    named = {"output-format": "markdown", "output-file": str(report)}
    code, outputs, _ = act(tmp_path, path=str(models / "good.pkl"), **named)
    assert (code, outputs["exit-code"], outputs["report"]) == (0, "0", str(report))
    assert report.read_text().startswith("## Assay")


def test_a_build_that_must_not_fail_still_fails_on_errors(models: Path, tmp_path: Path) -> None:
    code, outputs, _ = act(tmp_path, path=str(models), **{"fail-build": "false"})
    assert (code, outputs["exit-code"]) == (0, "1")
    code, outputs, _ = act(tmp_path, path=str(tmp_path / "nowhere"), **{"fail-build": "false"})
    assert code == 2


def test_the_action_uses_no_action_of_others() -> None:
    assert all("uses" not in step for step in ACTION["runs"]["steps"])


def test_the_hook_takes_model_files_and_refuses_the_bad_one(models: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    wanted = re.compile(hook["files"])
    taken = "a/model.pt x.safetensors chat_template.jinja M.PKL a.pickle.gz config.json b/modeling_x.py m.7z"
    assert all(wanted.search(name) for name in taken.split())
    assert not any(wanted.search(name) for name in ("a.py", "README.md", "model.pt.txt", "package.json"))
    arguments = hook["entry"].split()[1:]
    files = sorted(str(path) for path in models.iterdir())
    for chosen, code in ((files, 1), (files[1:], 0)):
        command = [sys.executable, "-c", "from assay.cli import main; main()", *arguments, *chosen]
        assert subprocess.run(command, check=False, capture_output=True).returncode == code


def test_the_lowest_cutoff_of_other_scanners_is_known(models: Path, tmp_path: Path) -> None:
    code, _, _ = act(tmp_path, **{"path": str(models / "good.pkl"), "severity-cutoff": "negligible"})
    assert code == 0
