"""Flax weights, Parquet, Arrow and PDF: data, unless a pickled type or an action stands in them."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files, media
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, CONVERT, REVIEW
from assay.core.errors import SubjectError
from assay.subjects.media import tables
from assay.subjects.media.msgpack import read_msgpack
from assay.subjects.media.pdf import read_pdf


def inspect_msgpack(blob: Blob, inspection: Inspection) -> None:
    """Walk the value, judge its texts, and read as a pickle what begins like one."""
    with graph_files.parsing(blob, inspection, "MessagePack"):
        document = read_msgpack(blob.data, blob.start, blob.end)
        inspection.text(blob, "\n".join(document.texts))
        graph_files.probe_pickles(blob, inspection, document.spans)
        if document.foreign:
            codes = ", ".join(map(str, sorted(document.foreign)[:10]))
            inspection.skip(blob, f"it has values of extension types that are not Flax's: {codes}", CONVERT)
        media.report_rest(blob, document.end, inspection)


def inspector(kind: str) -> Inspector:
    """The inspector of Parquet or Arrow files."""
    read = tables.parquet_metadata if kind == "parquet" else tables.arrow_metadata

    def inspect(blob: Blob, inspection: Inspection) -> None:
        try:
            metadata = read(blob.data, blob.start, blob.end)
        except SubjectError as error:
            inspection.skip(blob, f"the {kind} file cannot be read: {error.cause}", AGAIN)
            return
        if tables.PICKLED_TYPE in metadata:
            message = "A column's type is a pickle, which pyarrow before 14.0.1 loads with the schema."
            inspection.report(rules.media.PICKLED_TYPE.finding(message, blob.place()))

    return inspect


def inspect_pdf(blob: Blob, inspection: Inspection) -> None:
    """Look for what a document does by itself."""
    document = read_pdf(blob.data, blob.start, blob.end)
    if document.active:
        message = f"The PDF has {', '.join('/' + name for name in document.active)}."
        inspection.report(rules.media.ACTIVE.finding(message, blob.place()))
    if document.unread:
        inspection.skip(blob, f"the PDF was not examined whole: {document.unread}", REVIEW)
    else:
        inspection.outcome.notes.add("PDF documents: what their pages say was not examined")
        media.report_rest(blob, document.end, inspection)
