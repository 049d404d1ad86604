"""Every way in which opcodes hide a global or a call is found; the same opcodes over harmless values pass."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core.finding import Severity
from assay.core.report import Report, Status
from fixtures.baits import touching
from fixtures.opcode_attacks import pairs
from fixtures.scanning import rules_of, scan, scan_bytes

NAMES = sorted(pairs())


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("twins")
    for name, (_, twin) in pairs().items():
        (folder / f"{name}.pkl").write_bytes(twin)
    return scan(folder)


@pytest.mark.parametrize("name", NAMES)
def test_attack_fails(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.pkl", pairs(touching(tmp_path / "tripwire"))[name][0])
    assert report.status is Status.FAIL, report
    assert max(finding.severity.rank for finding in report.findings) >= Severity.HIGH.rank
    assert not (tmp_path / "tripwire").exists()


@pytest.mark.parametrize("name", NAMES)
def test_twin_passes(name: str, twins: Report) -> None:
    file = f"{name}.pkl"
    assert [finding for finding in twins.findings if finding.location.path == file] == []
    assert [skipped for skipped in twins.coverage.skipped if skipped.what == file] == []


@pytest.fixture
def warm_cache() -> Iterator[bytes]:
    """A pickle whose extension code this very process knows, and has loaded before."""
    copyreg.add_extension("json", "loads", 0x70)
    try:
        content = pickle.dumps(pickle.loads(b"\x82\x70."), 2)
        assert content == b"\x80\x02\x82\x70."
        yield content
    finally:
        copyreg.remove_extension("json", "loads", 0x70)
        copyreg.clear_extension_cache()


@pytest.mark.parametrize(
    "opcode", [b"\x82\x70", b"\x83\x70\0", b"\x84\x70\0\0\0"], ids=["EXT1", "EXT2", "EXT4"]
)
def test_extension_is_a_finding_where_the_cache_of_copyreg_is_warm(
    opcode: bytes, warm_cache: bytes, tmp_path: Path
) -> None:
    content = warm_cache.replace(b"\x82\x70", opcode)
    assert pickle.loads(content).__name__ == "loads"
    assert rules_of(scan_bytes(tmp_path, "model.pkl", content)) == {"pickle/obfuscated"}


def test_a_computed_call_is_told_once_with_its_place(tmp_path: Path) -> None:
    made = b"\x80\x04\x8c\x08operator\x8c\x0cmethodcaller\x93\x8c\x06system\x8c\x02id\x86R"
    called = b"\x8c\x08builtins\x8c\x0a__import__\x93\x8c\x02os\x85R\x85R."
    report = scan_bytes(tmp_path, "model.pkl", made + called)
    (told,) = (one for one in report.findings if one.rule == "pickle/obfuscated")
    assert told.location.offset == len(made + called) - 2
