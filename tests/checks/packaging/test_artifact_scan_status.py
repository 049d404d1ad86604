"""No pickle program passes the check where an unpickler would import what is not allowed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from assay.checks.packaging.artifact_scan import policy
from assay.checks.packaging.artifact_scan.check import ArtifactScan
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Coverage, Status, conclude
from assay.core.subject import Subject
from assay.subjects.pickles.machine import Limits, MachinePool
from fixtures.pickle_oracle import PROGRAMS, imports


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    workspace = tmp_path_factory.mktemp("workspace")
    with MachinePool(Limits(seconds=5), 1, shapes=policy.shapes) as pool:
        yield Scanner(pool, ArtifactScanOptions(), workspace)


@pytest.mark.parametrize("base", [pickle._Unpickler, pickle.Unpickler], ids=["python", "c"])
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=PROGRAMS)
def test_what_imports_more_than_is_allowed_never_passes(
    base: type, scanner: Scanner, tmp_path: Path, program: list[bytes]
) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"".join(program) + b".")
    foreign = {name for name in imports(base, file.read_bytes()) if not _is_allowed(name)}
    outcome = scanner.file(file, file.name)
    coverage = Coverage("files", not outcome.skipped, tuple(outcome.skipped))
    report = conclude(
        ArtifactScan.info.name, Subject.from_path(file), findings=outcome.findings, coverage=coverage
    )
    assert not foreign or report.status is not Status.PASS, (file.read_bytes(), foreign)


def _is_allowed(name: str) -> bool:
    return any(f"{module}.{attribute}" == name for module, attribute in policy.allowed())
