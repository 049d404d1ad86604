"""Boosted trees in binary: XGBoost's two formats and CatBoost's, numbers and texts read to their end."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, SAVE_AGAIN
from assay.core.errors import SubjectError
from assay.subjects.catboost_model import read_catboost
from assay.subjects.ubjson import read_ubjson
from assay.subjects.xgboost_binary import read_xgboost_binary


def inspect_ubjson(blob: Blob, inspection: Inspection) -> None:
    """Walk a UBJSON document, and judge its texts."""
    try:
        document = read_ubjson(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the UBJSON cannot be read: {error.cause}", AGAIN)
        return
    if "learner" in document.keys:
        inspection.outcome.rename(blob, "xgboost")
    for text in document.texts:
        inspection.text(blob, text)
    _trailing(blob, document.end, inspection)


def inspect_catboost(blob: Blob, inspection: Inspection) -> None:
    """Follow the offsets of a CatBoost model, and judge its texts."""
    try:
        model = read_catboost(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the CatBoost model cannot be read: {error.cause}", AGAIN)
        return
    for _, text in model.information:
        inspection.text(blob, text)
    if model.unread:
        parts = ", ".join(model.unread)[:150]
        inspection.skip(
            blob, f"parts of the CatBoost model are not judged by this version: {parts}", SAVE_AGAIN
        )
    else:
        _trailing(blob, model.end, inspection)


def inspect_old_xgboost(blob: Blob, inspection: Inspection) -> None:
    """Step over the numbers of XGBoost's own binary format, and judge its texts."""
    try:
        model = read_xgboost_binary(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the XGBoost model cannot be read: {error.cause}", AGAIN)
        return
    inspection.outcome.rename(blob, "xgboost")
    for text in model.texts:
        inspection.text(blob, text)
    _trailing(blob, model.end, inspection)


def _trailing(blob: Blob, end: int, inspection: Inspection) -> None:
    if end < blob.end:
        size = blob.end - end
        message = f"{size:,} bytes follow the end of the model."
        inspection.report(rules.files.TRAILING.finding(message, blob.place()))
        inspection.examine(blob.member_at("(after the model)", end, size))
