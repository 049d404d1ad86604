"""What a new user meets first: init in a model's folder, reasons that say nothing, help that reads well."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assay.cli.app import run
from assay.cli.demo import EXPECTED, next_steps, unmet
from fixtures.projects import make_project, write_data, write_model


def test_init_in_a_models_folder_takes_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_KEY", str(tmp_path / "keys" / "user.pem"))
    folder = write_model(tmp_path / "bot")
    assert run(["init", str(folder)]) == 0
    assert "this folder" in capsys.readouterr().out
    text = (folder / "assay.yaml").read_text()
    assert 'path: "."' in text
    assert "model.safetensors" not in text
    declared = "".join(
        f"  {name}: {{reason: there is no such subject here}}\n"
        for name in ("model.behavior-diff", "data.poisoning", "data.hygiene")
    )
    (folder / "assay.yaml").write_text(f"{text}not_applicable:\n{declared}")
    # What a run writes must not change the model that it is about.
    for _ in range(2):
        assert run(["run", "--no-progress", "--project", str(folder)]) == 0, capsys.readouterr()
    assert sorted(f.name for f in folder.iterdir()) == ["assay.yaml", "config.json", "model.safetensors"]
    assert (tmp_path / "bot.assay" / "ledger.db").is_file()


def test_init_beside_weights_that_stand_alone_takes_the_file(tmp_path: Path) -> None:
    (write_model(tmp_path) / "config.json").unlink()
    write_data(tmp_path / "train.jsonl")
    assert run(["init", str(tmp_path)]) == 0
    assert 'path: "model.safetensors"' in (tmp_path / "assay.yaml").read_text()


@pytest.mark.parametrize("reason", ["", "   ", "too short", "          x"])
def test_a_rollback_needs_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    make_project(tmp_path)
    assert run(["rollback", "--reason", reason, "--project", str(tmp_path)]) == 2
    assert "at least 10 characters" in capsys.readouterr().err


def test_examples_in_help_keep_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for command, example in (
        ("scan", "  assay scan model.safetensors checkpoints/"),
        ("check", "  assay check data.poisoning train.jsonl"),
    ):
        assert run([command, "--help"]) == 0
        assert example in [line.removeprefix("  ") for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "name",
    ["artifact.scan", "model.weights-diff", "model.behavior-diff", "supply.sbom", "data.poisoning"],
)
def test_rules_explain_every_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", name, "--rules"]) == 0
    text = capsys.readouterr().out
    assert "Severity" not in text
    assert ("fail_on = medium" in text) == (name not in ("model.behavior-diff", "supply.sbom"))
    lines = text.partition("\nOptions\n")[2].splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("  ") and not line.startswith("   "):
            assert following.startswith("      "), f"{line} is not explained"


def test_controls_of_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["controls", "--project", "/no/such/folder"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_consistency_proof_needs_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_project(tmp_path)
    project = ["--project", str(tmp_path)]
    assert run(["run", "--no-progress", *project]) == 0
    capsys.readouterr()
    assert run(["ledger", "proof", "--since", "2", *project]) == 0
    assert json.loads(capsys.readouterr().out)["first_size"] == 2
    for both_or_none in ([], ["0", "--since", "2"]):
        assert run(["ledger", "proof", *both_or_none, *project]) == 2
        assert "either" in capsys.readouterr().err


def test_the_demo_names_what_did_not_come_out() -> None:
    assert unmet(EXPECTED) == []
    assert unmet(EXPECTED | {"poisoned": "pass"}) == ["poisoned: the verdict is pass, and should be fail"]
    assert any("rollback" in line for line in next_steps("x", 2))
    assert not any("rollback" in line for line in next_steps("x", 1))


def test_a_large_file_is_hashed_while_it_is_scanned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.cli import scan  # noqa: PLC0415

    monkeypatch.setattr(scan, "LARGE", 1)
    file = tmp_path / "numbers.npy"
    np.save(file, np.arange(100.0))
    assert run(["scan", str(file), "-f", "json"]) == 0
    report = json.loads(capsys.readouterr().out)["reports"][0]
    assert report["subject"]["digests"] == {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
