"""7z archives: whatever they are packed by, what is in them is judged, and what cannot be is never clean."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import Limits, MachinePool
from fixtures import seven_zip
from fixtures.scanning import formats_of, rules_of, scan_bytes

BAD = b"\x80\x02cos\nsystem\n(S'id'\ntR."
GOOD = pickle.dumps({"weights": list(range(300))})
CODECS = ["copy", "deflate", "bzip2", "lzma", "lzma2", "x86", "delta"]


@pytest.mark.parametrize("encode_header", [False, True])
@pytest.mark.parametrize("codec", CODECS)
def test_members_are_judged(codec: str, encode_header: bool, tmp_path: Path) -> None:
    plain = [("a.txt", b"words " * 900), ("d", None), ("d/model.pkl", GOOD), ("empty", b"")]
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write(plain, codec, encode_header=encode_header))
    assert report.status is Status.PASS, report
    assert formats_of(report) == ["7z", "text", "pickle"]
    plain[2] = ("d/model.pkl", BAD)
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write(plain, codec, encode_header=encode_header))
    assert [f.rule for f in report.findings] == ["pickle/dangerous-global"]
    assert report.findings[0].location.member == "d/model.pkl"


def test_seven_zip_in_place_of_a_pytorch_zip_lies_and_is_read(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.pt", seven_zip.write([("archive/data.pkl", BAD)]))
    assert rules_of(report) == {"artifact/lying-extension", "pickle/dangerous-global"}


def test_encrypted_members_are_named_and_not_clean(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write([("a.pkl", GOOD)], "aes"))
    assert report.status is Status.INCOMPLETE
    (skipped,) = report.coverage.skipped
    assert skipped.what == "x.7z!/a.pkl"
    assert skipped.reason == "the member cannot be unpacked: it is packed by 7zAES, which is encryption"


def test_wrong_crc_is_found_and_the_member_still_judged(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write([("a.pkl", BAD)], crcs=[zlib.crc32(BAD) ^ 1]))
    assert rules_of(report) == {"archive/inconsistent", "pickle/dangerous-global"}


def test_names_and_links_that_leave_the_folder(tmp_path: Path) -> None:
    inside = seven_zip.write([("d/a.txt", b"hi"), ("d/l", b"../a")], links=["d/l"])
    assert scan_bytes(tmp_path, "x.7z", inside).status is Status.PASS
    for members in ([("../a.txt", b"hi")], [("d/l", b"../../a")], [("l", b"/etc/passwd")]):
        links = [name for name, _ in members if name.endswith("l")]
        report = scan_bytes(tmp_path, "x.7z", seven_zip.write(members, links=links))
        assert rules_of(report) == {"archive/path-traversal"}


def test_what_follows_the_archive_is_examined(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write([("a.txt", b"hi")]) + BAD)
    assert rules_of(report) == {"archive/trailing-data", "pickle/dangerous-global"}


def test_doubled_names(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.7z", seven_zip.write([("a.txt", b"hi"), ("./a.txt", b"ho")]))
    assert rules_of(report) == {"archive/inconsistent"}


def test_bounds(tmp_path: Path) -> None:
    content = seven_zip.write([("a.txt", b"words " * 9_000), ("b.txt", b"hi")])
    assert scan_bytes(tmp_path, "x.7z", content).status is Status.PASS
    assert scan_bytes(tmp_path, "x.7z", content, max_members=1).status is Status.INCOMPLETE
    assert scan_bytes(tmp_path, "x.7z", content, max_unpacked=50_000).status is Status.INCOMPLETE
    bomb = seven_zip.write([("a.txt", b" " * (3 << 20))])
    assert scan_bytes(tmp_path, "x.7z", bomb, max_ratio=100).status is Status.INCOMPLETE


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(Limits(seconds=5), 1) as pool:
        yield Scanner(pool, ArtifactScanOptions(max_unpacked=1 << 30), tmp_path_factory.mktemp("workspace"))


SMALL = {
    encoded: seven_zip.write([("a.pkl", BAD), ("d", None), ("b.txt", b"hi")], encode_header=encoded)
    for encoded in (False, True)
}


@pytest.mark.parametrize("encoded", [False, True])
def test_no_prefix_is_clean(encoded: bool, scanner: Scanner, tmp_path: Path) -> None:
    file = tmp_path / "x.7z"
    for length in range(1, len(SMALL[encoded])):
        file.write_bytes(SMALL[encoded][:length])
        outcome = scanner.file(file, "x.7z")
        assert outcome.skipped or outcome.findings, length


@settings(max_examples=150, deadline=None)
@given(at=st.integers(12, len(SMALL[True]) - 1), byte=st.integers(0, 255), encoded=st.booleans())
def test_no_changed_byte_makes_it_clean(
    at: int, byte: int, encoded: bool, scanner: Scanner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("x") / "x.7z"
    content = bytearray(SMALL[encoded])
    content[at % len(content)] = byte
    file.write_bytes(_with_right_sums(bytes(content)))
    outcome = scanner.file(file, "x.7z")
    assert outcome.skipped or outcome.findings


def _with_right_sums(content: bytes) -> bytes:
    """State CRCs of both headers that hold again, so that what they say is believed."""
    offset, size = (int.from_bytes(content[at : at + 8], "little") for at in (12, 20))
    header = content[32 + offset : 32 + offset + size] if offset + size < len(content) else b""
    start = content[12:28] + zlib.crc32(header).to_bytes(4, "little")
    return content[:8] + zlib.crc32(start).to_bytes(4, "little") + start + content[32:]
