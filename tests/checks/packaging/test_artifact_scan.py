"""Every attack is caught and never runs; every benign twin passes."""

from __future__ import annotations

import functools
import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from assay.core.finding import Severity
from assay.core.report import Report, Status
from fixtures.baits import touching
from fixtures.pickle_attacks import attacks, twins
from fixtures.scanning import scan
from fixtures.torch_zip import legacy_checkpoint, write_checkpoint

CALL = b"cos\nsystem\n(S'id'\ntR."
PAYLOAD = b"cos\nsystem\n(S'touch %b'\ntR0"


@pytest.mark.parametrize("name", sorted(attacks()))
def test_attack_fails_and_does_not_run(name: str, tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    file = tmp_path / "model.pkl"
    file.write_bytes(attacks(touching(tripwire))[name])
    report = scan(file)
    assert report.status is Status.FAIL, report
    assert not tripwire.exists()


@pytest.mark.parametrize("name", sorted(twins()))
def test_benign_twin_passes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(twins()[name])
    report = scan(file)
    assert report.status is Status.PASS, report


def test_finding_tells_the_call_its_arguments_and_place(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x02cos\nsystem\n(S'id'\ntR.")
    (finding,) = scan(file).findings
    assert finding.rule == "pickle/dangerous-global"
    assert finding.severity is Severity.CRITICAL
    assert finding.message == "Loading it would call os.system('id')."
    assert finding.location.offset == 21


def test_unknown_global_is_high_and_may_be_allowed_with_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x02cacme.layers\nDense\n)R.")
    (finding,) = scan(file).findings
    assert (finding.rule, finding.severity) == ("pickle/unknown-global", Severity.HIGH)
    assert scan(file, allow={"acme.layers.Dense": "ours, reviewed"}).status is Status.PASS


def test_torch_zip(tmp_path: Path) -> None:
    tensors = {"w": np.ones((3, 4), "f4")}
    good, bad, tripwire = tmp_path / "good.pt", tmp_path / "bad.pt", tmp_path / "tripwire"
    write_checkpoint(good, tensors)
    write_checkpoint(bad, tensors, payload=PAYLOAD % os.fsencode(tripwire))
    assert scan(good).status is Status.PASS
    report = scan(bad)
    assert report.findings[0].location.member == "archive/data.pkl"
    assert report.status is Status.FAIL
    assert not tripwire.exists()


@pytest.mark.parametrize("payload", [b"cos\nsystem\n(S'x'\ntR.", None])
def test_wrapped_in_archives(payload: bytes | None, tmp_path: Path) -> None:
    inner = payload or pickle.dumps([1, 2])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.pkl", inner)
    tarred = io.BytesIO()
    with tarfile.TarFile(fileobj=tarred, mode="w") as tar:
        member = tarfile.TarInfo("a.zip")
        member.size = len(packed.getvalue())
        tar.addfile(member, io.BytesIO(packed.getvalue()))
    file = tmp_path / "model.tar.gz"
    file.write_bytes(gzip.compress(tarred.getvalue()))
    report = scan(file)
    assert report.status is (Status.FAIL if payload else Status.PASS), report


def test_npz_object_array(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("id",)

    np.savez(tmp_path / "good.npz", x=np.ones(3), y=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "bad.npz", x=np.array([Evil()], dtype=object))
    assert scan(tmp_path / "good.npz").status is Status.PASS
    assert scan(tmp_path / "bad.npz").status is Status.FAIL


def test_lying_extension(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors.json"
    file.write_bytes(pickle.dumps([1]))
    assert [finding.rule for finding in scan(file).findings] == ["artifact/lying-extension"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("cat\ndog\nfish\n", Status.PASS),  # reads as GLOBAL at.dog, then breaks
        ("click\nnumpy==2.0\n", Status.PASS),
        ("idea\nword\n", Status.PASS),
        ("copy\nthat\n(listed\n", Status.PASS),
        ("cos\nsystem\nfish\n", Status.FAIL),
        ("cat\ndog\n(S'x'\ntRfish", Status.FAIL),
        ("cat\ndog\n.", Status.FAIL),
    ],
)
def test_a_list_of_words_is_no_pickle(text: str, status: Status, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text)
    assert scan(tmp_path / "labels.txt").status is status
    (tmp_path / "words.dic").write_text(text)
    assert scan(tmp_path / "words.dic").status is (Status.FAIL if "(" in text else status)
    (tmp_path / "model.pkl").write_text(text)
    assert scan(tmp_path / "model.pkl").status is not Status.PASS


def _zip(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_zip_tricks(tmp_path: Path) -> None:
    good = _zip(("a.txt", b"hello"), ("b.txt", b"there"))
    file = tmp_path / "x.zip"
    tricks = {
        "prepended": b"junk" + good,
        "appended": good + b"junk",
        "crc": good.replace(b"hello", b"hullo"),
        "renamed": good.replace(b"a.txt", b"c.txt", 1),
        "traversal": _zip(("../a.txt", b"hello")),
    }
    file.write_bytes(good)
    assert scan(file).status is Status.PASS
    for name, content in tricks.items():
        file.write_bytes(content)
        assert scan(file).status is Status.FAIL, name


def test_encrypted_flag_hides_nothing(tmp_path: Path) -> None:
    content = bytearray(_zip(("a.pkl", b"cos\nsystem\n(S'x'\ntR.")))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    rules = {finding.rule for finding in scan(file).findings}
    assert rules == {"archive/inconsistent", "pickle/dangerous-global"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", Status.INCOMPLETE),
        (b"\x00\x01\x02\x03 unknown", Status.INCOMPLETE),
        (b"\x89HDF\r\n\x1a\n....", Status.INCOMPLETE),
        (b"GGUF\x09\0\0\0", Status.INCOMPLETE),
        (b"#!/usr/bin/tclsh\nid\n", Status.INCOMPLETE),
        (b"just words\n", Status.PASS),
    ],
)
def test_what_is_not_judged_is_never_clean(content: bytes, status: Status, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert scan(tmp_path / "file").status is status


def test_template_gadget_and_remote_code(tmp_path: Path) -> None:
    plain = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    evil = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({"chat_template": plain}))
    assert scan(file).status is Status.PASS
    file.write_text(json.dumps({"chat_template": evil}))
    assert [f.rule for f in scan(file).findings] == ["template/injection"]
    file.write_text(json.dumps({"auto_map": {"AutoModel": "modeling.Evil"}}))
    assert [f.rule for f in scan(file).findings] == ["config/remote-code"]


@pytest.mark.parametrize("length", [2**63, 2**40, 5])
def test_hostile_safetensors_header(length: int, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", length) + b"{}")
    assert scan(file).status is Status.FAIL


def _links(report: Report) -> list[str]:
    return [f.severity.value for f in report.findings if f.rule == "artifact/link-leaves-folder"]


def test_links_of_a_hub_cache_are_followed_and_examined(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "models--acme--tiny"
    snapshot = cache / "snapshots" / "0123abcd"
    (cache / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (snapshot / "model.pkl").symlink_to("../../blobs/aa")
    for content, status in ((pickle.dumps([1]), Status.PASS), (b"\x80\x02" + CALL, Status.FAIL)):
        (cache / "blobs" / "aa").write_bytes(content)
        report = scan(snapshot)
        assert (report.status, _links(report)) == (status, [])
        note = "links lead to blobs of the same hub cache, which were examined"
        assert report.coverage.notes.count(note) == 1
        assert scan(cache).status is status
        assert not _links(scan(cache))


def test_link_out_of_the_folder(tmp_path: Path) -> None:
    folder, home = tmp_path / "model", tmp_path / ".ssh"
    folder.mkdir()
    home.mkdir()
    outside, key = tmp_path / "outside.pkl", home / "key.txt"
    outside.write_bytes(pickle.dumps(1))
    key.write_text("secret")
    link = folder / "model.pkl"
    for target, severity in ((outside, "low"), (key, "medium"), (Path("/etc/passwd"), "medium")):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert _links(scan(folder)) == [severity]


def test_a_link_to_a_folder_outside_is_told_and_the_rest_examined(tmp_path: Path) -> None:
    folder, outside = tmp_path / "model", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "evil.pkl").write_bytes(b"\x80\x02" + CALL)
    (folder / "model.pkl").write_bytes(pickle.dumps(1))
    assert scan(folder).status is Status.PASS
    for target in (outside, Path("/etc")):
        (folder / "d").symlink_to(target)
        report = scan(folder)
        assert (report.status, _links(report), report.coverage.examined) == (Status.FAIL, ["medium"], 1)
        assert {f.location.path for f in report.findings} == {"d"}
        assert [item.what for item in report.coverage.skipped] == ["d"]
        (folder / "d").unlink()


def test_partial_is_as_harmless_as_what_it_wraps(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(functools.partial(np.add, 1)))
    assert scan(file).status is Status.PASS
    file.write_bytes(pickle.dumps(functools.partial(json.loads, "1")))
    found = {f.data["global"]: f.severity.value for f in scan(file).findings}
    assert found == {"json.loads": "high"}
    file.write_bytes(pickle.dumps(functools.partial(os.system, "id")))
    assert "pickle/dangerous-global" in {f.rule for f in scan(file).findings}
    file.write_bytes(pickle.dumps(functools.partial(dict)))
    finding = scan(file).findings[0]
    assert (finding.rule, finding.severity) == ("pickle/misused-global", Severity.CRITICAL)
    assert finding.message == (
        "Loading it would call functools.partial(builtins.dict) as no framework does: argument 1 is not a "
        "known function or torch.nn.modules.normalization.LayerNorm or "
        "torch.nn.modules.batchnorm.BatchNorm2d."
    )


def test_bombs_end_without_a_pass(tmp_path: Path) -> None:
    hash_bomb = (
        b"\x80\x04)\x94" + b"".join(b"h" + bytes([i]) + b"2\x86\x94" for i in range(60)) + b"}h\x3cK\x01s."
    )
    file = tmp_path / "bomb.pkl"
    file.write_bytes(hash_bomb)
    report = scan(file, seconds=2)
    assert report.status is Status.INCOMPLETE
    file.write_bytes(b"\x80\x04N" + b"r\x00\x00\x00\x40" + b".")  # LONG_BINPUT 2^30: a memo of 16 GB
    assert scan(file, memory=1 << 29).status is Status.INCOMPLETE
    file.write_bytes(gzip.compress(b"\0" * (64 << 20)))
    assert scan(file, max_unpacked=1 << 20).status is not Status.PASS


def test_legacy_torch_file_is_read_to_its_last_byte(tmp_path: Path) -> None:
    tensors = {"a": np.arange(12, dtype="f4").reshape(3, 4), "b": np.zeros(64, "i8")}
    file = tmp_path / "model.pt"
    file.write_bytes(legacy_checkpoint(tensors))
    good = scan(file)
    assert good.status is Status.PASS, good
    assert good.details["files"][0]["format"] == "pytorch-legacy"  # type: ignore[index,call-overload]
    for place in ("between", "inside", "after"):
        for payload in (b"\x80\x02" + CALL, CALL):
            file.write_bytes(legacy_checkpoint(tensors, **{place: payload}))
            report = scan(file)
            assert "pickle/dangerous-global" in {f.rule for f in report.findings}, (place, report)
    file.write_bytes(legacy_checkpoint(tensors, between=b"12345678"))
    assert scan(file).status is Status.INCOMPLETE
    file.write_bytes(legacy_checkpoint(tensors)[:-1])
    assert scan(file).status is Status.INCOMPLETE


def test_only_what_the_pickle_calls_a_storage_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    write_checkpoint(file, {"w": np.ones((3, 4), "f4")})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("archive/data/1", b"\x80\x02" + CALL)
    assert [f.rule for f in scan(file).findings] == ["pickle/dangerous-global"]


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_passes(zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = {"m": layer.state_dict(), "o": optimizer.state_dict(), "h": torch.ones(3).bfloat16(), "epoch": 3}
    file = tmp_path / "model.pt"
    torch.save(state, file, _use_new_zipfile_serialization=zipped)
    assert scan(file).status is Status.PASS


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_zip_members_are_read(method: int, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    for content, status in ((pickle.dumps([1]), Status.PASS), (b"\x80\x02" + CALL, Status.FAIL)):
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("a.pkl", content)
        assert scan(file).status is status


def test_safetensors_in_an_archive_is_checked(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}'
    file = tmp_path / "x.zip"
    for data, status in ((b"abc", Status.PASS), (b"abc hidden", Status.FAIL), (b"a", Status.FAIL)):
        file.write_bytes(_zip(("a.safetensors", struct.pack("<Q", len(header)) + header + data)))
        assert scan(file).status is status


def test_bounds_hold_for_the_whole_scan(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.txt.gz").write_bytes(gzip.compress(b"words " * 1000))
    assert scan(folder, max_unpacked=12_000).status is Status.PASS
    assert scan(folder, max_unpacked=11_999).status is Status.INCOMPLETE
    file = tmp_path / "x.zip"
    file.write_bytes(_zip(("a.txt", b"hello"), ("b.txt", b"there")))
    assert scan(file, max_members=2).status is Status.PASS
    assert scan(file, max_members=1).status is Status.INCOMPLETE


ARRAYS = {
    "numbers": np.arange(40.0),
    "fortran": np.ones((3, 4), "f4", order="F"),
    "text": np.array(["ab", "c"]),
    "objects": np.array([{"x": 1}, None], dtype=object),
    "records": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
}


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_arrays_are_measured(compress: object, tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    file = tmp_path / "model.joblib"
    joblib.dump({**ARRAYS, "after": "the arrays"}, file, compress=compress)
    assert scan(file).status is Status.PASS
    joblib.dump({**ARRAYS, "after": functools.partial(os.system, "id")}, file, compress=compress)
    assert "pickle/dangerous-global" in {f.rule for f in scan(file).findings}
    joblib.dump([np.array([functools.partial(os.system, "id")], dtype=object)], file, compress=compress)
    assert "pickle/dangerous-global" in {f.rule for f in scan(file).findings}


def test_payload_in_the_bytes_of_a_joblib_array_is_found(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    file = tmp_path / "model.joblib"
    joblib.dump([np.zeros(100)], file)
    good = file.read_bytes()
    for payload in (b"\x80\x02" + CALL, CALL):
        file.write_bytes(good.replace(b"\0" * len(payload), payload, 1))
        assert "pickle/dangerous-global" in {f.rule for f in scan(file).findings}
    file.write_bytes(good[:-60])
    assert scan(file).status is not Status.PASS
