"""Archives whose readers disagree, each beside a benign twin that a real writer made."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import Limits, MachinePool
from fixtures.archive_attacks import A, B, late, tar_tricks, unicode_path, zip_tricks
from fixtures.archives import Member, handmade_zip, old_tar, real_tar, real_zip, streamed_zip
from fixtures.scanning import formats_of, rules_of, scan_bytes

BAD = b"\x80\x02cos\nsystem\n(S'id'\ntR."
GOOD = pickle.dumps({"weights": list(range(30))})
INCONSISTENT, TRAVERSAL, TRAILING = "archive/inconsistent", "archive/path-traversal", "archive/trailing-data"
DANGEROUS = "pickle/dangerous-global"
LINK = 0o120777 << 16


ZIP_TWINS = {
    "plain": real_zip(("a.txt", b"hello"), ("b.txt", b"there")),
    "handmade": handmade_zip([A, B]),
    "deflated": real_zip(("a.txt", b"hello" * 99), method=zipfile.ZIP_DEFLATED),
    "data descriptors": streamed_zip(("a.txt", b"hello"), ("b.pkl", GOOD)),
    "descriptor by hand": handmade_zip([late(), B]),
    "comment": handmade_zip([A], comment=b"made by hand"),
    "zip in zip": real_zip(("in.zip", real_zip(("a.txt", b"hello")))),
    "empty member": real_zip(("__init__.txt", b""), ("a.txt", b"hello")),
    "link inside": handmade_zip([Member(b"d/l", b"../a.txt", attributes=LINK), A]),
    "case": handmade_zip([Member(b"readme.txt", b"a"), Member(b"README.txt", b"b")]),
    "unicode path": handmade_zip(
        [Member(b"caf?.txt", b"a", extra=unicode_path("café.txt".encode(), b"caf?.txt"))]
    ),
    "empty": real_zip(),
}


@pytest.mark.parametrize("name", sorted(ZIP_TWINS))
def test_benign_zip_passes(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.zip", ZIP_TWINS[name])
    assert report.status is Status.PASS, report


@pytest.mark.parametrize("name", sorted(zip_tricks()))
def test_zip_that_reads_differently_is_found(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.zip", zip_tricks()[name])
    assert INCONSISTENT in rules_of(report), report
    assert report.status is Status.FAIL


def test_zip_members_that_leave_the_folder(tmp_path: Path) -> None:
    members = [
        Member(b"../a", b"x"), Member(b"/etc/a", b"x"), Member(b"..\\a", b"x"), Member(b"C:a", b"x"),
        Member(b"l", b"/etc/passwd", attributes=LINK), Member(b"d/l", b"../../x", attributes=LINK),
        Member(b"a?", b"x", extra=unicode_path("../é".encode(), b"a?")),
    ]  # fmt: skip
    for member in members:
        report = scan_bytes(tmp_path, "x.zip", handmade_zip([member]))
        assert TRAVERSAL in rules_of(report), member


def test_overlapping_members_are_found(tmp_path: Path) -> None:
    zip_ = bytearray(handmade_zip([A, B]))
    second = zip_.rfind(b"PK\1\2")
    zip_[second + 42 : second + 46] = bytes(4)  # the second member's offset is now the first one's
    report = scan_bytes(tmp_path, "x.zip", bytes(zip_))
    assert any("share bytes" in finding.message for finding in report.findings)


def test_zip64_fields_that_contradict_are_found(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"hello")
    assert scan_bytes(tmp_path, "x.zip", buffer.getvalue()).status is Status.PASS
    zip_ = bytearray(real_zip(("a.txt", b"hello")))
    at = zip_.rfind(b"PK\5\6")
    count, size, offset = struct.unpack_from("<HLL", zip_, at + 10)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
    good = bytes(zip_[:at]) + record + locator + bytes(zip_[at:])
    assert scan_bytes(tmp_path, "x.zip", good).status is Status.PASS
    for count64, where in ((2, at), (count, at - 1)):
        wrong = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count64, count64, size, offset)
        lost = struct.pack("<4sLQL", b"PK\6\7", 0, 2 if where != at else where, 1)
        moved = bytes(zip_[:at]) + wrong + lost + bytes(zip_[at:])
        assert scan_bytes(tmp_path, "x.zip", moved).status is not Status.PASS


@pytest.mark.parametrize("front", [b"\x93NUMPY\1\0", b"GGUF", b"\x7fELF", gzip.compress(b"words", mtime=0)])
def test_zip_behind_another_format_is_opened(front: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x.bin", front + real_zip(("archive/data.pkl", BAD)))
    assert {"archive/polyglot", DANGEROUS} <= rules_of(report)


def test_zip_and_pickle_in_one_are_both_read(tmp_path: Path) -> None:
    for content in (BAD + real_zip(("a.txt", b"hi")), GOOD + real_zip(("a.pkl", BAD))):
        assert {DANGEROUS, INCONSISTENT} <= rules_of(scan_bytes(tmp_path, "x.bin", content))


def test_cve_2025_1889_pickle_of_another_extension_in_a_pytorch_zip(tmp_path: Path) -> None:
    members = [("archive/data.pkl", GOOD), ("archive/config.p", BAD), ("archive/version", b"3\n")]
    report = scan_bytes(tmp_path, "model.pt", real_zip(*members))
    assert rules_of(report) == {DANGEROUS}
    assert report.findings[0].location.member == "archive/config.p"


def test_cve_2025_1944_local_and_central_name_differ(tmp_path: Path) -> None:
    member = Member(b"archive/data.pkl", BAD, local_name=b"archive/date.pkl")
    assert rules_of(scan_bytes(tmp_path, "model.pt", handmade_zip([member]))) == {INCONSISTENT, DANGEROUS}


@pytest.mark.parametrize("flags", [1, 0x20, 0x40, 0x2000])
def test_cve_2025_1945_flag_bits_hide_nothing(flags: int, tmp_path: Path) -> None:
    member = Member(b"archive/data.pkl", BAD, flags=flags)
    assert rules_of(scan_bytes(tmp_path, "model.pt", handmade_zip([member]))) == {INCONSISTENT, DANGEROUS}


@pytest.mark.parametrize("name", ["model.pt", "model.bin", "model.pth", "model.ckpt"])
def test_cve_2025_10155_pickle_with_an_extension_of_pytorch(name: str, tmp_path: Path) -> None:
    assert rules_of(scan_bytes(tmp_path, name, BAD)) == {DANGEROUS}


def test_cve_2025_10156_wrong_crc_hides_nothing(tmp_path: Path) -> None:
    member = Member(b"archive/data.pkl", BAD, crc=7)
    assert rules_of(scan_bytes(tmp_path, "model.pt", handmade_zip([member]))) == {INCONSISTENT, DANGEROUS}


def test_cve_2025_1716_pip_main(tmp_path: Path) -> None:
    content = b"\x80\x02cpip\nmain\n](S'install'\nS'x'\ne\x85R."
    (finding,) = scan_bytes(tmp_path, "model.pkl", content).findings
    assert (finding.rule, finding.severity.value) == (DANGEROUS, "critical")


STYLES = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.mark.parametrize("style", sorted(STYLES))
def test_real_tars_are_read(style: str, tmp_path: Path) -> None:
    long = "folder/" * 13 + "é.pkl"
    for content, status in ((GOOD, Status.PASS), (BAD, Status.FAIL)):
        tar = real_tar(("a.txt", b"hello"), (long, content), ("empty", b""), style=STYLES[style])
        report = scan_bytes(tmp_path, "x.tar", tar)
        assert (report.status, formats_of(report)) == (status, ["tar", "text", "pickle"])


def test_tar_without_ustar_is_known_by_its_checksum(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "x.tar", old_tar((b"a.txt", b"hi"), (b"m.pkl", GOOD))).status is Status.PASS
    report = scan_bytes(tmp_path, "x.tar", old_tar((b"a.txt", b"hi"), (b"m.pkl", BAD)))
    assert rules_of(report) == {DANGEROUS}


def _header(**changed: object) -> bytes:
    """A tar of one empty member whose header is changed."""

    def change(info: tarfile.TarInfo) -> None:
        for key, value in changed.items():
            setattr(info, key, value)

    return real_tar(("l", b""), change=change)


def test_links_and_devices_in_tars(tmp_path: Path) -> None:
    for fine in ({"type": tarfile.SYMTYPE, "linkname": "a.txt", "name": "d/l"},
                 {"type": tarfile.SYMTYPE, "linkname": "../a.txt", "name": "d/l"},
                 {"type": tarfile.LNKTYPE, "linkname": "a.txt"}, {"type": tarfile.DIRTYPE}):  # fmt: skip
        assert scan_bytes(tmp_path, "x.tar", _header(**fine)).status is Status.PASS, fine
    for wrong in ({"type": tarfile.SYMTYPE, "linkname": "../a.txt"},
                  {"type": tarfile.SYMTYPE, "linkname": "/etc"},
                  {"type": tarfile.LNKTYPE, "linkname": "/etc/x"},
                  {"type": tarfile.CHRTYPE}, {"type": tarfile.FIFOTYPE}, {"name": "../x"}):  # fmt: skip
        assert rules_of(scan_bytes(tmp_path, "x.tar", _header(**wrong))) == {TRAVERSAL}, wrong


@pytest.mark.parametrize("name", sorted(tar_tricks()))
def test_tar_that_reads_differently_is_found(name: str, tmp_path: Path) -> None:
    content, expected = tar_tricks()[name]
    assert rules_of(scan_bytes(tmp_path, "x.tar", content)) == expected


def test_cve_2025_62518_size_that_pax_and_header_give_differently(tmp_path: Path) -> None:
    inner = real_tar(("m.pkl", BAD))
    tar = real_tar(
        ("a.bin", inner),
        ("b.txt", b"hi"),
        change=lambda info: setattr(info, "pax_headers", {"size": str(info.size)}),
    )
    assert INCONSISTENT not in rules_of(scan_bytes(tmp_path, "x.tar", tar))
    at = tar.find(b"a.bin", 1024)
    head = bytearray(tar[at : at + 512])
    head[124:136], head[148:156] = b"0" * 11 + b"\0", b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    report = scan_bytes(tmp_path, "x.tar", tar[:at] + bytes(head) + tar[at + 512 :])
    assert rules_of(report) == {INCONSISTENT, DANGEROUS}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_follows_compressed_data_is_found(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(b"words ")
    for fine in (packed, packed + pack(b"more"), packed + bytes(512)):
        assert scan_bytes(tmp_path, "x", fine).status is Status.PASS
    report = scan_bytes(tmp_path, "x", packed + BAD)
    assert rules_of(report) == {TRAILING, DANGEROUS}
    assert scan_bytes(tmp_path, "x", packed + pack(BAD)).status is not Status.PASS
    assert scan_bytes(tmp_path, "x", packed[:-3]).status is not Status.PASS


def test_gzip_header_fields(tmp_path: Path) -> None:
    body = gzip.compress(b"words", mtime=0)[10:]
    head = b"\x1f\x8b\x08"
    named = head + b"\x18" + bytes(6) + b"a.txt\0a comment\0" + body
    assert scan_bytes(tmp_path, "x.gz", named).status is Status.PASS
    outside = head + b"\x08" + bytes(6) + b"../../a.txt\0" + body
    assert rules_of(scan_bytes(tmp_path, "x.gz", outside)) == {TRAVERSAL}
    template = head + b"\x10" + bytes(6) + b"{{ x.__class__ }}\0" + body
    assert rules_of(scan_bytes(tmp_path, "x.gz", template)) == {"template/injection"}
    extra = head + b"\x04" + bytes(6) + b"\x06\0XX\2\0hi" + body
    assert [f.severity.value for f in scan_bytes(tmp_path, "x.gz", extra).findings] == ["low"]


@pytest.mark.parametrize(
    "content",
    [b"Rar!\x1a\x07\0rest", b"Rar!\x1a\x07\1\0rest", b"\x1f\x9d\x90", b"070701" + b"0" * 104, b"!<arch>\n",
     b"MSCF\0\0\0\0....", b"\0" * 32_769 + b"CD001" + b"\1" * 9],
)  # fmt: skip
def test_archives_that_cannot_be_opened_are_incomplete(content: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "x", content)
    assert report.status is Status.INCOMPLETE
    assert "cannot be opened" in report.coverage.skipped[0].reason


@pytest.mark.parametrize("kind", ["zstd", "lz4"])
def test_zstd_and_lz4(kind: str, tmp_path: Path) -> None:
    library = pytest.importorskip({"zstd": "zstandard", "lz4": "lz4.frame"}[kind])
    for fine in (library.compress(GOOD), library.compress(GOOD) * 2):
        assert scan_bytes(tmp_path, "x", fine).status is Status.PASS
    skippable = b"\x52\x2a\x4d\x18\x03\0\0\0abc"
    assert rules_of(scan_bytes(tmp_path, "x", skippable + library.compress(BAD))) == {DANGEROUS}
    assert rules_of(scan_bytes(tmp_path, "x", library.compress(b"hi") + BAD)) == {TRAILING, DANGEROUS}
    assert scan_bytes(tmp_path, "x", library.compress(GOOD)[:-2]).status is Status.INCOMPLETE


@pytest.mark.parametrize("magic", [b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"])
def test_broken_zstd_and_lz4_are_incomplete_with_or_without_their_library(
    magic: bytes, tmp_path: Path
) -> None:
    assert scan_bytes(tmp_path, "x", magic + b"\0nonsense").status is Status.INCOMPLETE


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(Limits(seconds=5), 1) as pool:
        yield Scanner(pool, ArtifactScanOptions(max_unpacked=1 << 30), tmp_path_factory.mktemp("workspace"))


WHOLE = {
    "zip": real_zip(("m.pkl", BAD), ("a.txt", b"hi")),
    "streamed": streamed_zip(("m.pkl", BAD)),
    "gz": gzip.compress(BAD),
    "tar": real_tar(("m.pkl", BAD), style=tarfile.USTAR_FORMAT)[:1100],
}


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_no_prefix_is_clean(kind: str, scanner: Scanner, tmp_path: Path) -> None:
    file = tmp_path / "x"
    for length in range(1, len(WHOLE[kind])):
        file.write_bytes(WHOLE[kind][:length])
        outcome = scanner.file(file, "x")
        plain_text = WHOLE[kind][:length].isascii() and b"\0" not in WHOLE[kind][:length]
        assert outcome.skipped or outcome.findings or plain_text, length


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 2000), st.binary(min_size=1, max_size=9))
def test_no_changed_bytes_raise(
    scanner: Scanner, tmp_path_factory: pytest.TempPathFactory, kind: str, at: int, put: bytes
) -> None:
    content = WHOLE[kind]
    at %= len(content)
    file = tmp_path_factory.mktemp("x") / "x"
    file.write_bytes(content[:at] + put + content[at + len(put) :])
    scanner.file(file, "x")
