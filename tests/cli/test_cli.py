"""The command line: help, exit codes, messages. What the README and docs say is run here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assay.cli.app import COMMANDS, run
from fixtures.projects import make_project, write_data, write_model

ROOT = Path(__file__).parents[2]


def assay(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as users do, in a process of its own."""
    command = [sys.executable, "-c", "from assay.cli import main; main()", *map(str, arguments)]
    # A key of the tests' own: the user's must stay untouched.
    environment = {**os.environ, "ASSAY_KEY": str((cwd or Path()) / "keys" / "user.pem")}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=environment)


def test_help_lists_every_command_and_imports_none() -> None:
    code = "import sys; from assay.cli.app import run; run(['--help']); print(sorted(m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert f"  {name} " in done.stdout
    for heavy in ("numpy", "pydantic", "httpx", "sqlalchemy", "rich", "yaml"):
        assert f"'{heavy}'" not in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = assay(name, "--help")
    assert done.returncode == 0
    assert done.stderr == ""


def test_every_command_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`assay {name}" in page


def test_every_key_of_assay_yaml_stands_in_the_docs() -> None:
    from assay.core.config import Project  # noqa: PLC0415

    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    schema = Project.model_json_schema()
    for name, field in schema["properties"].items():
        reference = re.search(r"#/\$defs/(\w+)", json.dumps(field))
        inner = schema["$defs"][reference[1]]["properties"] if reference else {}
        keys = [f"{name}.{key}" for key in inner] if inner and name != "not_applicable" else [name]
        for key in keys:
            assert f"`{key}" in page, f"{key} is not documented"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "missing.bin"], "missing.bin: cannot be read: no such file"),
        (["check", "artifact.scam", "x"], "there is no check 'artifact.scam'"),
        (["check", "artifact.scan"], "artifact.scan needs a subject"),
        (["check", "artifact.scan", ".", "--option", "colour=red"], "unknown option 'colour'"),
        (["run"], "no assay.yaml"),
        (["prove", "0" * 64], "no assay.yaml"),
        (["scan", ".", "-o", "pdf=x"], "expected FORMAT=FILE"),
        (["scan", ".", "-o", "json=nowhere/x.json"], "there is no folder nowhere"),
        (["diff", ".", "http://127.0.0.1:9/v1"], "a path cannot be compared with an endpoint"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_a_mistake_is_exit_code_2_with_cause_and_no_traceback(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "a.txt").write_text("text")
    done = assay(*arguments, cwd=tmp_path)
    assert message in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_scan_of_a_clean_model_is_0_and_of_a_payload_1(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    clean = assay("scan", model, "-f", "json", "-o", f"sarif={tmp_path / 'out.sarif'}")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert json.loads(clean.stdout)["reports"][0]["status"] == "pass"
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    (model / "weights.pkl").write_bytes(b"cos\nsystem\n(S'touch tripwire'\ntR.")
    bad = assay("scan", model, cwd=tmp_path)
    assert bad.returncode == 1
    assert "os.system" in bad.stdout
    assert not (tmp_path / "tripwire").exists()


def test_what_was_not_examined_is_exit_code_4(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 20)
    done = assay("scan", tmp_path / "x.bin")
    assert done.returncode == 4
    assert "incomplete" in done.stdout


def test_fail_on_raises_the_bar(tmp_path: Path) -> None:
    file = tmp_path / "weights.pkl"
    file.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert assay("scan", file, "--fail-on", "critical").returncode == 1


def test_init_run_prove_rollback_as_a_user_would(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    write_data(tmp_path / "train.jsonl")
    assert "wrote" in assay("init", cwd=tmp_path).stdout
    again = assay("init", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    text = (tmp_path / "assay.yaml").read_text()
    refused = assay("run", "--no-progress", cwd=tmp_path)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "model.behavior-diff" in refused.stdout
    declared = 'not_applicable: {model.behavior-diff: {reason: "no endpoint here"}}\n'
    (tmp_path / "assay.yaml").write_text(text + declared)
    done = assay("run", "-f", "markdown", "-o", "html=report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert assay("check", "data.poisoning", cwd=tmp_path).returncode == 0
    proven = assay("prove", "model", cwd=tmp_path)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "all verified" in proven.stdout
    assert assay("prove", "train.jsonl", cwd=tmp_path).returncode == 0
    assert assay("prove", "0" * 64, cwd=tmp_path).returncode == 4
    assert "sound" in assay("ledger", "verify", cwd=tmp_path).stdout
    assert assay("ledger", "show", cwd=tmp_path).returncode == 0
    assert json.loads(assay("ledger", "proof", 0, cwd=tmp_path).stdout)["leaf_index"] == 0
    assert "Model Provenance Auditing" in assay("controls", cwd=tmp_path).stdout
    assert "default" in assay("config", "show", cwd=tmp_path).stdout
    nothing = assay("rollback", "--reason", "a drill, nothing else", cwd=tmp_path)
    assert nothing.returncode == 2
    assert "there is no earlier release" in nothing.stderr


def test_a_tampered_ledger_is_exit_code_1_and_named(tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    project = make_project(tmp_path)
    assert assay("run", "--no-progress", cwd=tmp_path).returncode == 0
    assert assay("ledger", "head", "-o", "anchor.json", cwd=tmp_path).returncode == 0
    anchored = assay("ledger", "verify", "--anchor", "anchor.json", cwd=tmp_path)
    assert anchored.returncode == 0, anchored.stdout + anchored.stderr
    connection = sqlite3.connect(project.root / ".assay" / "ledger.db")
    with connection:
        connection.execute("UPDATE entries SET kind = 'approval' WHERE kind = 'verdict'")
    connection.close()
    done = assay("ledger", "verify", cwd=tmp_path)
    assert done.returncode == 1
    assert "NOT SOUND" in done.stdout


def test_run_returns_what_the_process_would() -> None:
    assert run(["policy", "list"]) == 0
    assert run(["no-such-command"]) == 2
