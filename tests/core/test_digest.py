"""Digests of files and folders, against OpenSSF Model Signing's own implementation."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from assay.core.digest import IGNORED, hash_folder, sha256_file, stamp
from assay.core.errors import SubjectError
from assay.core.subject import Subject, SubjectKind


def make_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_file_is_named_by_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"x" * 3_000_001)
    digest = sha256_file(file)
    assert digest.sha256 == hashlib.sha256(b"x" * 3_000_001).hexdigest()
    assert digest.size == 3_000_001


def test_the_root_digest_equals_model_signings(tmp_path: Path) -> None:
    hashing = pytest.importorskip("model_signing.hashing")
    signing = pytest.importorskip("model_signing._signing.signing")
    names = {"a.txt": b"1", "b/c.bin": b"2", "b/d/e": b"3", "b.txt": b"4", "B.txt": b"5"}
    folder = make_folder(tmp_path / "model", names)
    manifest = hashing.hash(folder)
    payload = signing.Payload(manifest)
    ours = hash_folder(folder)
    assert payload.statement.pb.subject[0].digest["sha256"] == ours.oms_root
    assert [d.identifier for d in manifest.resource_descriptors()] == [f.name for f in ours.files]


def test_swapping_names_changes_our_digest_though_not_the_root_digest(tmp_path: Path) -> None:
    one = hash_folder(make_folder(tmp_path / "one", {"a.txt": b"same"}))
    two = hash_folder(make_folder(tmp_path / "two", {"a.py": b"same"}))
    assert one.oms_root == two.oms_root
    assert one.sha256 != two.sha256


def test_what_is_ignored_is_stated_and_changes_nothing(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "m", {"w": b"1"})
    before = hash_folder(folder)
    make_folder(folder, {".git/config": b"noise", "model.sig": b"signature"})
    assert hash_folder(folder).sha256 == before.sha256
    assert before.predicate()["serialization"]["ignore_paths"] == list(IGNORED)  # type: ignore[index, call-overload]


def test_a_link_to_a_file_is_hashed_by_content_and_a_link_to_a_folder_refused(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"weights")
    folder = make_folder(tmp_path / "m", {"w": b"1"})
    (folder / "linked").symlink_to(blob)
    assert {f.name: f.sha256 for f in hash_folder(folder).files}["linked"] == hashlib.sha256(
        b"weights"
    ).hexdigest()
    (folder / "elsewhere").symlink_to(tmp_path)
    with pytest.raises(SubjectError, match="a link to a folder is not followed"):
        hash_folder(folder)


def test_a_subject_names_links_to_folders_outside_as_left_out(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "m", {"w": b"1", "sub/v": b"2"})
    plain = Subject.from_path(folder).sha256
    (folder / "out").symlink_to(tmp_path)
    assert Subject.from_path(folder).sha256 != plain
    manifest = hash_folder(folder, without_outside=True)
    assert ([file.name for file in manifest.files], manifest.ignored) == (["sub/v", "w"], (*IGNORED, "out"))
    with pytest.raises(SubjectError, match="a link to a folder is not followed"):
        Subject.from_path(folder, whole=True)
    before = stamp(folder)
    (folder / "sub" / "v").write_bytes(b"3")
    assert stamp(folder) != before
    (folder / "inside").symlink_to("sub")
    with pytest.raises(SubjectError, match="a link to a folder is not followed"):
        Subject.from_path(folder)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SubjectError, match="not a regular file"):
        sha256_file(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["missing", "missing/deeper"])
def test_a_missing_path_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(SubjectError, match="no such file") as caught:
        Subject.from_path(tmp_path / name)
    assert "Correct the path." in caught.value.diagnostics()


def test_an_empty_folder_is_not_a_subject(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="holds no files"):
        Subject.from_path(tmp_path)


def test_an_endpoint_is_named_by_what_it_serves_not_by_its_port(tmp_path: Path) -> None:
    model = Subject.from_path(make_folder(tmp_path / "m", {"w": b"1"}))
    one = Subject.from_endpoint("http://127.0.0.1:1/v1", "m", serves=model)
    two = Subject.from_endpoint("http://127.0.0.1:2/v1", "m", serves=model)
    assert one.sha256 == two.sha256
    assert one.kind is SubjectKind.ENDPOINT
    with pytest.raises(SubjectError, match="has no path"):
        _ = one.path


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "m", {"w": b"1", "größe": b"2"})
    assert len(hash_folder(folder).files) == 2
    (folder / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    with pytest.raises(SubjectError, match="not UTF-8"):
        hash_folder(folder)
