"""Quoted patterns of local paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.core.errors import LimitError, UsageError
from assay.sources import globs
from assay.sources.globs import expand

FILES = ["a.pt", "b.bin", "deep/er/c.pt", "deep/.hidden.pt", ".d/e.pt", "x[1].pt", "x1.pt"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.pt", ["a.pt", "x1.pt", "x[1].pt"]),
        ("**/*.pt", [".d/e.pt", "a.pt", "deep/.hidden.pt", "deep/er/c.pt", "x1.pt", "x[1].pt"]),
        ("deep/**", ["deep/.hidden.pt", "deep/er"]),
        ("**", sorted({name.split("/")[0] for name in FILES})),
        ("d*/*/c.pt", ["deep/er/c.pt"]),
        ("*/er/**/c.pt", ["deep/er/c.pt"]),
        ("?.bin", ["b.bin"]),
        ("[ab].*", ["a.pt", "b.bin"]),
        ("x[1].pt", ["x[1].pt"]),  # the file of that very name, not x1.pt
        ("plain.pt", ["plain.pt"]),  # its reader says that it is not there
    ],
)
def test_what_a_pattern_matches(pattern: str, expected: list[str]) -> None:
    found, problems = expand(pattern)
    assert [path.as_posix() for path in found] == expected
    assert problems == []


def test_an_absolute_pattern(folder: Path) -> None:
    assert expand(f"{folder}/*.bin")[0] == [folder / "b.bin"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("pattern", ["*.onnx", "none/*.pt", "a.pt/*", "**/none"])
def test_no_match_names_the_pattern(pattern: str) -> None:
    with pytest.raises(UsageError, match="no file or folder matches") as caught:
        expand(pattern)
    assert caught.value.subject == pattern


def test_links_to_folders_are_not_followed_in_circles(folder: Path) -> None:
    (folder / "deep" / "again").symlink_to(folder)
    (folder / "deep" / "more").symlink_to(folder)
    assert len(expand("**/*.pt")[0]) == 6


def test_a_folder_that_cannot_be_listed_is_told(folder: Path) -> None:
    (folder / "fd").symlink_to("/proc/1/task/1/nothing")
    (folder / "dangling.pt").symlink_to("nowhere")
    assert Path("dangling.pt") in expand("*.pt")[0]
    loop = folder / "loop"
    loop.symlink_to(loop)
    found, problems = expand("loop/*.pt")
    assert found == []
    assert [problem.subject for problem in problems] == ["loop"]


def test_a_pattern_that_looks_at_too_much(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "MAX_VISITED", 3)
    with pytest.raises(LimitError, match="more than 3"):
        expand(f"{folder}{os.sep}**{os.sep}*.pt")
