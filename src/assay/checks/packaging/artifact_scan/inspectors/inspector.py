"""The seam between a format and the scan: what an inspector is given, and what it has to do.

An inspector looks at one region of bytes that `formats.recognise` took for its format. It reports what it
found with `inspection.report`, what it could not examine with `inspection.skip`, and hands whatever is nested
(members, embedded pickles, texts) back. It never runs, imports or unpickles anything, bounds what it reads,
and never raises for what is in the bytes: a parse error is something that was not examined.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.unpacking import Unpacker
from assay.core.finding import Finding
from assay.subjects.pickles.records import PickleRecord


class Inspection(Protocol):
    """The examination of one file, as its inspectors see it."""

    @property
    def options(self) -> ArtifactScanOptions:
        """Bounds, and what the user allows."""

    @property
    def outcome(self) -> Outcome:
        """What the file gave so far."""

    @property
    def unpacker(self) -> Unpacker:
        """Unpacks within the budget of the whole scan."""

    @property
    def folder(self) -> Path | None:
        """The folder that the file lies in with others that are examined; None for a single file."""

    def examine(self, blob: Blob) -> None:
        """Recognise and judge a nested region as a file of its own."""

    def pickle(self, blob: Blob, *, probe: bool) -> PickleRecord | None:
        """Judge a region as pickles; None where it is none. `probe`: it may be something else."""

    def text(self, blob: Blob, text: str) -> None:
        """Judge a text that lies in `blob`: templates, hidden instructions, secrets."""

    def document(self, blob: Blob, document: Any) -> None:
        """Judge a parsed JSON document that lies in `blob`: configurations, notebooks, layers."""

    def report(self, finding: Finding) -> None:
        """Something was found."""

    def skip(self, blob: Blob, reason: str, remedy: str) -> None:
        """Something was not examined, why, and what to do; the report is then incomplete."""


Inspector: TypeAlias = Callable[[Blob, Inspection], None]
