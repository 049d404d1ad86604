"""Torch7's files: weights and texts pass; functions are told wherever they lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import MachinePool
from fixtures.scanning import formats_of, found, rules_of, scan_bytes
from fixtures.torch7_files import LUA, Torch7Writer, model

W = Torch7Writer()
BENIGN = {
    "a layer": model(),
    "a table": W.table({"epoch": W.number(3), "note": W.text("made by hand")}),
    "a table within itself": struct.pack("<iii", 3, 500, 1) + W.text("own") + W.again(500),
    "a list of tds": W.object("tds.Vec", struct.pack("<i", 2) + bytes(4) + W.number(1) + W.number(2)),
    "characters": model({"names": W.characters(b"cat\0dog\0" * 20)}, W),
    "a class of before versions": struct.pack("<iii", 4, 1, 9) + b"nn.Linear" + W.table({}),
}
ATTACKS = {
    "a function in a layer": model({"forward": W.function()}, W),
    "a function in an upvalue": model({"forward": W.function(upvalues=W.table({"f": W.function()}))}, W),
    "a function in a table": W.table({"epoch": W.number(3), "hook": W.function(b"any bytes")}),
    "byte code in a storage": model({"names": W.characters(b"x" * 100 + LUA)}, W),
    "byte code in a string": W.table({"code": W.text(b"\x1bLua\x51" + bytes(30))}),
    "a function of Torch before 2013": W.table(
        {"hook": struct.pack("<iii", 6, 77, 4) + b"code" + W.table({})}
    ),
}


@pytest.mark.parametrize("name", sorted(BENIGN))
@pytest.mark.parametrize("file", ["m.t7", "m.net"])
def test_numbers_and_texts_pass(file: str, name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, file, BENIGN[name])
    assert (report.status, formats_of(report), found(report)) == (Status.PASS, ["torch7"], set()), report


@pytest.mark.parametrize("name", sorted(ATTACKS))
@pytest.mark.parametrize("file", ["m.t7", "m.net"])
def test_attack_a_lua_function_is_told(file: str, name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, file, ATTACKS[name])
    assert found(report) == {("torch7/lua-code", "high")}
    assert len(report.findings) == (2 if "upvalue" in name else 1)
    assert report.coverage.complete


def test_what_is_told_of_a_function(tmp_path: Path) -> None:
    (finding,) = scan_bytes(tmp_path, "m.t7", ATTACKS["a function in a layer"]).findings
    size = f"{len(LUA):,}"
    assert finding.message == (
        f"Reading it makes a Lua function of {size} bytes of byte code, which its model may call."
    )
    assert finding.location.offset == ATTACKS["a function in a layer"].index(LUA)
    assert finding.explanation is not None
    assert finding.explanation.loaders == ("torch.load(file) in Lua",)


def test_texts_are_judged(tmp_path: Path) -> None:
    evil = W.table({"note": W.text("{{ x.__class__.__mro__ }}")})
    assert rules_of(scan_bytes(tmp_path, "m.t7", evil)) == {"template/injection"}


def test_what_follows_is_examined(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.t7", model() + b"\x80\x02cos\nsystem\n(S'id'\ntR.")
    assert rules_of(report) == {"archive/trailing-data", "pickle/dangerous-global"}


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<i", 9),
        W.table({"a": struct.pack("<ii", 2, -1)}),
        W.table({"a": struct.pack("<iii", 3, 9, -1)}),
        W.object("torch.FloatStorage", struct.pack("<q", 1 << 60)),
        W.object("nn.Custom", struct.pack("<i", 77) + b"in a way of its own"),
        struct.pack("<iii", 3, 1, 3_000_000) + bytes(400),
        b"4\n1\n3\nV 1\n17\ntorch.FloatTensor\n1\n1\n1\n1\n",
        b"3\n1\n0\n",
    ],
)
def test_what_is_not_read_is_not_clean(content: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.t7", content)
    assert report.status is Status.INCOMPLETE
    assert all(skipped.remedy for skipped in report.coverage.skipped)


def test_numbers_one_a_line_are_a_text(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "m.txt", "3\n1\n2\n").status is Status.PASS


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(size=1) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path_factory.mktemp("workspace"))


def test_no_prefix_is_clean(scanner: Scanner, tmp_path: Path) -> None:
    content, file = model(), tmp_path / "x.t7"
    for length in range(1, len(content)):
        file.write_bytes(content[:length])
        outcome = scanner.file(file, "x.t7")
        assert outcome.skipped or outcome.findings, length


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_no_changed_bytes_raise(
    scanner: Scanner, tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes
) -> None:
    content = ATTACKS["a function in an upvalue"]
    at %= len(content)
    file = tmp_path_factory.mktemp("x") / "x.t7"
    file.write_bytes(content[:at] + put + content[at + len(put) :])
    outcome = scanner.file(file, "x.t7")
    assert not any("could not be examined" in skipped.reason for skipped in outcome.skipped)
