"""What of `.git` is git's own storage, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.git_storage import is_list, is_store, is_stored


@pytest.mark.parametrize(
    "name",
    [
        ".git/objects/pack/pack-1.pack",
        ".git/lfs/objects/aa/bb/cc",
        ".git/logs/HEAD",
        ".git/index",
        ".git/packed-refs",
        ".git/modules/lib/deep/objects/aa/bb",
        ".git/modules/lib/index",
        ".git/worktrees/one/logs/HEAD",
    ],
)
def test_storage(name: str) -> None:
    assert is_stored(name)


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".git/hooks/objects",
        ".git/hooks/objects/pre-commit",
        ".git/info/index",
        ".git",
        "objects/a",
        "sub/.git/objects/a",
        ".git/modules/lib/hooks/pre-commit",
        ".github/objects/x",
        "",
    ],
)
def test_no_storage(name: str) -> None:
    assert not is_stored(name)


def test_folders_and_lists(tmp_path: Path) -> None:
    assert is_store((".git", "objects"))
    assert not is_store((".git", "objects", "aa"))
    index = tmp_path / "index"
    index.write_bytes(b"DIRC\0\0\0\x02")
    assert is_list(index, (".git", "index"))
    assert not is_list(index, ("index",))
    index.write_bytes(b"\x80\x04N.")
    assert not is_list(index, (".git", "index"))
    assert not is_list(tmp_path / "gone", (".git", "index"))
