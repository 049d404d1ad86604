"""R files: data pass in every spelling; promises, functions and expressions are told, and nothing runs."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import MachinePool
from fixtures import r_data as r
from fixtures.r_attacks import more_than_data
from fixtures.scanning import formats_of, rules_of, scan_bytes

PROMISE, CODE = "r/promise", "r/code"
FRAME = r.vector(r.integers(1, 2, -(1 << 31)), r.doubles(1.5, 2), r.texts("é\n", None), names=("a", "b", "c"))
EVIL = r.call("system", "id")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("spelling", ["X", "B", "A"])
@pytest.mark.parametrize("saved", [False, True])
def test_data_pass_and_promises_do_not(spelling: str, saved: bool, version: int, tmp_path: Path) -> None:
    name = "m.RData" if saved else "m.rds"
    good = r.write(FRAME, spelling, version=version, saved=saved)
    report = scan_bytes(tmp_path, name, good)
    assert (report.status, formats_of(report)) == (Status.PASS, ["rdata"]), report
    bad = r.write(r.vector(FRAME, r.promise(EVIL)), spelling, version=version, saved=saved)
    assert rules_of(scan_bytes(tmp_path, name, bad)) == {PROMISE, CODE}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_cve_2024_27322_promise_in_a_packed_file(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    assert scan_bytes(tmp_path, "m.rds", pack(r.write(FRAME))).status is Status.PASS
    report = scan_bytes(tmp_path, "m.rds", pack(r.write(r.promise(EVIL))))
    (finding,) = [found for found in report.findings if found.rule == PROMISE]
    assert finding.severity.value == "critical"
    assert finding.message == "Touching the value would run 1 promise; it calls system."


@pytest.mark.parametrize("name", sorted(more_than_data()))
def test_more_than_data_is_told(name: str, tmp_path: Path) -> None:
    value, severity = more_than_data()[name]
    report = scan_bytes(tmp_path, "m.rds", r.write(value))
    assert [finding.severity.value for finding in report.findings][:1] == [severity], report
    assert report.status is (Status.PASS if severity == "low" else Status.FAIL)


def test_benign_compact_sequence_passes(tmp_path: Path) -> None:
    names = r.pairs(
        2, r.symbol("compact_intseq"), r.pairs(2, r.symbol("base"), r.pairs(2, r.integers(13), r.NIL))
    )
    value = r.write([238, *names, *r.doubles(10, 1, 1), *r.NIL])
    assert scan_bytes(tmp_path, "m.rds", value).status is Status.PASS


def test_deep_and_long_values_are_read(tmp_path: Path) -> None:
    deep: r.Tokens = [19, 1] * 50_000 + [254]
    assert scan_bytes(tmp_path, "m.rds", r.write(deep)).status is Status.PASS
    long = r.NIL
    for _ in range(300):
        long = [2, *r.integers(1), *long]
    assert scan_bytes(tmp_path, "m.rds", r.write(long)).status is Status.PASS


@pytest.mark.parametrize(
    "value",
    [[19, 1 << 30], [14, -1, 1 << 30, 0], [16, -5], [255, 9, 1], [9, 1 << 30], [77], [238, 1], [21, 1]],
)
def test_what_does_not_add_up_is_not_clean(value: r.Tokens, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "m.rds", r.write(value)).status is not Status.PASS


def test_what_follows_the_value_is_examined(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.rds", r.write(FRAME) + b"\x80\x02cos\nsystem\n(S'id'\ntR.")
    assert rules_of(report) == {"archive/trailing-data", "pickle/dangerous-global"}


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(size=1) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("spelling", ["X", "A"])
def test_no_prefix_is_clean(spelling: str, scanner: Scanner, tmp_path: Path) -> None:
    whole, file = r.write(FRAME, spelling), tmp_path / "m.rds"
    for length in range(30, len(whole) - 1):
        file.write_bytes(whole[:length])
        outcome = scanner.file(file, "m.rds")
        assert outcome.skipped or outcome.findings, length


BYTES = r.write(r.vector(FRAME, EVIL, r.promise(EVIL)))


@settings(max_examples=300, deadline=None)
@given(at=st.integers(2, len(BYTES) - 1), put=st.binary(min_size=1, max_size=4))
def test_no_changed_bytes_raise(
    scanner: Scanner, tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes
) -> None:
    file = tmp_path_factory.mktemp("x") / "m.rds"
    file.write_bytes(BYTES[:at] + put + BYTES[at + len(put) :])
    outcome = scanner.file(file, "m.rds")
    assert not any("could not be examined" in skipped.reason for skipped in outcome.skipped)
