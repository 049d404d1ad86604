"""`assay scan` on folders as people and attackers make them: nested without end, linked in circles."""

from __future__ import annotations

import json
import os
import pickle
import socket
from pathlib import Path

import pytest

from assay.cli.app import run
from fixtures.deep_folders import nested

ATTACK = b"cos\nsystem\n(S'x'\ntR."


def scanned(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, dict[str, object]], str]:
    """The exit code, the reports by the name of their subject, and what stands on stderr."""
    code = run(["scan", str(folder), "-f", "json", "--no-cache"])
    captured = capsys.readouterr()
    document = json.loads(captured.out or '{"reports": []}')
    return code, {report["subject"]["name"]: report for report in document["reports"]}, captured.err


@pytest.mark.parametrize(("content", "code"), [(ATTACK, 1), (pickle.dumps([1.5]), 0)])
def test_what_lies_1500_folders_deep_is_examined(
    content: bytes, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nested(tmp_path / "deep", 1_500, content) as top:
        got, reports, stderr = scanned(top, capsys)
    assert (got, stderr) == (code, "")
    assert reports[str(top)]["coverage"]["examined"] == 1  # type: ignore[index]


def test_what_lies_too_deep_for_a_path_is_told_and_the_rest_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nested(tmp_path / "deep", 2_500, ATTACK) as top:
        (top / "fine.pkl").write_bytes(pickle.dumps([1.5]))
        code, reports, stderr = scanned(top, capsys)
    assert code == 2
    assert {name: report["status"] for name, report in reports.items()} == {str(top / "fine.pkl"): "pass"}
    assert "cannot be listed: file name too long" in stderr
    assert "move the folder up, then run again" in stderr


def test_links_to_folders_lead_nowhere_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "evil.pkl").write_bytes(ATTACK)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "fine.pkl").write_bytes(pickle.dumps([1.5]))
    (folder / "circle").symlink_to("circle")
    (folder / "itself").symlink_to(".")
    (folder / "out").symlink_to("../elsewhere")
    code, reports, stderr = scanned(folder, capsys)
    assert code == 2
    assert list(reports) == [str(folder / "fine.pkl")]
    assert stderr.splitlines() == [
        f"assay: {folder / 'circle'}: cannot be read: too many levels of symbolic links",
        "  → Its links lead in a circle: remove them.",
        f"assay: {folder / 'itself'}: a link to a folder is not followed",
        "  → Replace the link by the folder itself.",
        f"assay: {folder / 'out'}: a link to a folder is not followed",
        "  → Replace the link by the folder itself.",
    ]


def test_a_link_to_a_folder_outside_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "fine.pkl").write_bytes(pickle.dumps([1.5]))
    (folder / "out").symlink_to("/etc")
    code, reports, stderr = scanned(folder, capsys)
    (report,) = reports.values()
    assert (code, report["coverage"]["examined"], stderr) == (1, 1, "")  # type: ignore[index]
    assert report["findings"][0]["rule"] == "artifact/link-leaves-folder"  # type: ignore[index]


def test_what_is_neither_file_nor_folder_is_called_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
    for word, kind in (("pipe", "a pipe"), ("socket", "a socket"), ("/dev/zero", "a device")):
        assert run(["scan", word]) == 2
        assert capsys.readouterr().err == (
            f"assay: {tmp_path / word}: is {kind}, not a regular file\n"
            "  → Name a file or a folder; where it lies among files, remove it.\n"
        )


def test_git_s_own_files_are_not_scanned_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    (tmp_path / ".git" / "hooks" / "update.sample").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1.5]))
    assert scanned(tmp_path, capsys)[0] == 0
    (tmp_path / "broken").symlink_to("nowhere")
    code, reports, told = scanned(tmp_path, capsys)
    assert (code, [Path(name).name for name in reports]) == (2, ["model.pkl"])
    assert ".git: is examined only with all of its folder" in told
