"""`--ignore-file`, the file that is found, and `--known`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli.app import run

ACME = b"\x80\x02cacme.layers\nDense\n)R."
ENTRY = "ignore: [{rule: pickle/*, reason: ours and reviewed, expires: 2999-01-01}]\n"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work" / "model"
    folder.mkdir(parents=True)
    (folder / "layer.pkl").write_bytes(ACME)
    monkeypatch.chdir(tmp_path / "work")
    return folder


def scanned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(["scan", *arguments, "-f", "json"])
    return code, json.loads(capsys.readouterr().out)["reports"][0]


def test_the_file_beside_is_found_and_its_reason_told(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "model"]) == 1
    (model.parent / "assay-ignore.yaml").write_text(ENTRY)
    capsys.readouterr()
    assert run(["scan", "model"]) == 0
    assert "ignored: layer.pkl" in capsys.readouterr().out
    code, report = scanned(capsys, "model")
    (item,) = report["ignored"]
    assert (code, report["status"], report["findings"]) == (0, "pass", [])
    assert (item["reason"], item["expires"]) == ("ours and reviewed", "2999-01-01")


@pytest.mark.parametrize("format_", ["table", "markdown", "html", "sarif", "junit"])
def test_every_format_tells_what_was_set_aside(
    format_: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model.parent / "assay-ignore.yaml").write_text(ENTRY)
    assert run(["scan", "model", "-f", format_]) == 0
    assert "ours and reviewed" in capsys.readouterr().out


def test_a_file_beside_what_is_named_counts_in_a_checkout_alone(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "assay-ignore.yaml").write_text(ENTRY)
    monkeypatch.chdir(model)
    assert run(["scan", "layer.pkl"]) == 1
    assert "beside layer.pkl, in a folder that is no git checkout" in capsys.readouterr().err
    assert run(["scan", "layer.pkl", "--ignore-file", "assay-ignore.yaml"]) == 0
    (model.parent / ".git").mkdir()
    assert run(["scan", "layer.pkl"]) == 0


def test_a_file_that_comes_with_the_model_is_not_applied(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "assay-ignore.yaml").write_text(ENTRY)
    monkeypatch.chdir(model)
    assert run(["scan", "."]) == 1
    assert "was not applied" in capsys.readouterr().err
    assert run(["scan", ".", "--ignore-file", "assay-ignore.yaml"]) == 0


def test_findings_of_an_earlier_report_are_known(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "known.json"
    assert run(["scan", "model", "-o", f"json={report}"]) == 1
    assert run(["scan", "model", "--known", str(report)]) == 0
    (model / "new.pkl").write_bytes(ACME.replace(b"Dense", b"Conv"))
    capsys.readouterr()
    code, found = scanned(capsys, "model", "--known", str(report))
    assert (code, [f["location"]["path"] for f in found["findings"]]) == (1, ["new.pkl"])


@pytest.mark.parametrize(
    "text", ["{}", "[", '{"reports": [{"check": "x", "findings": [{}]}]}', '{"reports": 3}']
)
def test_a_known_report_that_is_none_is_an_error(
    text: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "known.json"
    file.write_text(text)
    assert run(["scan", str(model), "--known", str(file)]) == 2
    assert "is not a JSON report of Assay" in capsys.readouterr().err
