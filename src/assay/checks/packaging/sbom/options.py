"""Options of `supply.sbom`."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class SbomOptions:
    """Options of `supply.sbom`.

    Attributes:
        fail_on: lowest severity that fails the check.
        verify_files: compare code (.py, .pth) with the SHA-256 that was recorded at installation.
        verify_native: compare native libraries too; they are large.
        max_files: more recorded files than these are not compared, and the report is incomplete.
    """

    fail_on: Severity = Severity.HIGH
    verify_files: bool = True
    verify_native: bool = False
    max_files: int = 500_000
