"""What training code, scipy and configuration libraries pickle passes; the same classes abused are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.baits import touching
from fixtures.framework_attacks import attacks, twins
from fixtures.scanning import rules_of, scan_bytes


@pytest.mark.parametrize("name", sorted(attacks()))
def test_abuse_fails_and_does_not_run(name: str, tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    report = scan_bytes(tmp_path, "model.pkl", attacks(touching(tripwire))[name])
    assert report.status is Status.FAIL, report
    assert not tripwire.exists()
    assert rules_of(report) & {"pickle/misused-global", "pickle/obfuscated", "config/dangerous-target"}


@pytest.mark.parametrize("name", sorted(twins()))
def test_honest_use_passes(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.pkl", twins()[name])
    assert report.findings == ()
    assert report.status is Status.PASS


def test_every_attack_has_a_twin() -> None:
    assert set(attacks()) == set(twins())
