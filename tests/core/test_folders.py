"""Folders are walked to any depth, and what cannot be listed is told."""

from __future__ import annotations

import sys
from pathlib import Path

from assay.core.folders import walk
from fixtures.deep_folders import nested


def refuse(error: OSError) -> None:
    raise error


def test_a_folder_comes_before_what_is_in_it_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "inner").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "file").touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "circle").symlink_to("circle")
    seen = []
    for here, folders, others in walk(tmp_path, unlisted=refuse):
        folders.sort()
        seen.append((here.relative_to(tmp_path).as_posix(), sorted(others)))
    assert seen == [(".", ["circle", "link"]), ("a", ["file"]), ("a/inner", []), ("b", [])]


def test_folders_that_are_taken_out_are_not_walked(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    seen = []
    for here, folders, _ in walk(tmp_path, unlisted=refuse):
        seen.append(here.name)
        folders[:] = [name for name in folders if name != "b"]
    assert seen == [tmp_path.name, "a"]


def test_more_levels_than_python_calls(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    with nested(tmp_path / "top", depth, b"x") as top:
        *_, (innermost, _, files) = walk(top, unlisted=refuse)
    assert len(innermost.relative_to(top).parts) == depth
    assert files == ["m.pkl"]


def test_a_folder_whose_path_is_too_long_is_told(tmp_path: Path) -> None:
    told: list[OSError] = []
    with nested(tmp_path / "top", 2_500, b"x") as top:
        seen = list(walk(top, unlisted=told.append))
    assert [error.strerror for error in told] == ["File name too long"]
    assert len(seen) < 2_500
    assert told[0].filename == str(seen[-1][0] / "d")
