"""Texts that say more than is read of them, such as programs in other languages: never clean."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import CONVERT, REVIEW


def judge_torch7(blob: Blob, text: str, inspection: Inspection) -> None:  # noqa: ARG001  the seam's shape
    """Say that Torch7's text form was not judged: it may hold functions like the binary one."""
    inspection.skip(blob, "the text form of Torch7's files is not judged by this version", CONVERT)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:  # noqa: ARG001  the seam's shape
    """Say that it was not judged."""
    inspection.skip(blob, "a program in this language is not judged by this version", REVIEW)
