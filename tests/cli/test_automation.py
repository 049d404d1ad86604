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

from assay.checks.packaging.artifact_scan import extensions
from assay.checks.packaging.artifact_scan.texts import programs, templates

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


def _hook() -> dict[str, Any]:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert isinstance(hook, dict)
    return hook


def _wanted() -> re.Pattern[str]:
    """What pre-commit does with `files`: searches the path from the repository's root."""
    return re.compile(_hook()["files"])


def test_the_hook_takes_every_name_that_the_scanner_knows() -> None:
    wanted = _wanted()
    # To be looked at and read, and in every repository: whoever wants them scanned scans the folder.
    looked_at = {
        ".txt",
        ".md",
        ".csv",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".wav",
        ".ogg",
        ".mp3",
        ".flac",
        ".mp4",
    }
    assert looked_at <= set(extensions.KNOWN)
    for ending in {*extensions.KNOWN, *extensions.PICKLED, *programs.PYTHON, *templates.FILES} - looked_at:
        name = ending if not ending.startswith(".") else f"a/model{ending}"
        assert wanted.search(name), name
        assert wanted.search(name.upper()), name


@pytest.mark.parametrize(
    "name",
    [
        "a/model.pt", "x.safetensors", "chat_template.jinja", "M.PKL", "a.pickle.gz", "config.json",
        "b/modeling_x.py", "m.7z", "tokenizer.json", "chat_template.json", "processor_config.json",
        "special_tokens_map.json",
        "pytorch_model.bin.index.json", "modules.json", "tfjs/model.json", "MLmodel", "a/MLmodel",
        "conda.yaml", "hparams.yml", "n.ipynb", "openvino_model.xml", "a.tar.gz", "a.tar.zst",
        "a.pkl.lzma", "__0_0.distcp",
        "a.h5ad", "a.dduf", "tokenizer.model", "a.ptl", "a.torchscript", "hubconf.py", "requirements-dev.txt",
        "pyproject.toml", "model.sig",
    ],
)  # fmt: skip
def test_the_hook_takes(name: str) -> None:
    assert _wanted().search(name)


def test_the_hook_takes_model_files_and_refuses_the_bad_one(models: Path) -> None:
    hook = _hook()
    assert not any(
        _wanted().search(name) for name in ("README.md", "model.pt.txt", "a.csv", "cat.png", "LICENSE")
    )
    arguments = hook["entry"].split()[1:]
    files = sorted(str(path) for path in models.iterdir())
    for chosen, code in ((files, 1), (files[1:], 0)):
        command = [sys.executable, "-c", "from assay.cli import main; main()", *arguments, *chosen]
        assert subprocess.run(command, check=False, capture_output=True).returncode == code


def test_the_lowest_cutoff_of_other_scanners_is_known(models: Path, tmp_path: Path) -> None:
    code, _, _ = act(tmp_path, **{"path": str(models / "good.pkl"), "severity-cutoff": "negligible"})
    assert code == 0
