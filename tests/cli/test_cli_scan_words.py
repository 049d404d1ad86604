"""What `assay scan` and `assay check` make of words that name nothing to look at."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from assay.cli.app import run


def test_an_empty_folder_beside_others_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty" / "nested").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    assert run(["scan", "empty", "notes.txt"]) == 2
    assert "the folder holds no files" in capsys.readouterr().err
    assert run(["scan", "empty"]) == 2
    assert "the folder holds no files" in capsys.readouterr().err


AS_NAMED = ["b.pkl", "d.pkl", "m", "a.pkl"]


@pytest.mark.parametrize(
    ("command", "places", "order"),
    [
        (["scan", "-f", "json"], r'"subject": {\s+"kind": "\w+",\s+"name": "([^"]+)"', AS_NAMED),
        (["scan", "-f", "sarif"], r'"subject": "([^"]+)"', AS_NAMED),
        (["scan", "-f", "junit"], r'name="subject" value="([^"]+)"', AS_NAMED),
        (["scan"], r"^artifact\.scan  (\S+)", ["d.pkl", "b.pkl", "m", "a.pkl"]),  # the failed ones last
        (["explain"], r"^(\S+) byte 18$", ["b.pkl", "c.pkl", "a.pkl"]),
    ],
)
def test_reports_come_in_the_order_of_the_words_and_each_once(
    command: list[str],
    places: str,
    order: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    for name in ("b.pkl", "m/c.pkl", "a.pkl", "d.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps([1.5]) if name == "d.pkl" else b"cos\nsystem\n(S'x'\ntR.")
    words = ["b.pkl", "d.pkl", "m", "a.pkl", "./b.pkl", "?.pkl", "m/", str(tmp_path / "a.pkl"), "m/../b.pkl"]
    assert run([*command, *words]) == 1
    assert re.findall(places, capsys.readouterr().out, re.MULTILINE) == order


def test_an_empty_word_names_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", ""]) == 2
    assert "an empty word names nothing" in capsys.readouterr().err


def test_a_scan_has_no_bill_of_materials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    for arguments in (["-f", "cyclonedx"], ["-o", f"cyclonedx={tmp_path / 'c.json'}"]):
        assert run(["scan", str(tmp_path), *arguments]) == 2
        captured = capsys.readouterr()
        assert "model.origin" in captured.err
        assert captured.out == ""


def test_an_option_that_is_a_text_takes_it_as_written(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    command = ["check", "model.origin", str(tmp_path / "model"), "-f", "json"]
    assert run([*command, "--option", "spec_version=1.6"]) in {0, 1, 4}
