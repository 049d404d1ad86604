"""Pictures and sound: they pass where they are whole; what they carry behind their end is examined."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.core.errors import SubjectError
from assay.subjects.media import flac, pictures, streams

_WALKS = {
    "png": pictures.walk_png, "jpeg": pictures.walk_jpeg, "gif": pictures.walk_gif,
    "wav": streams.walk_riff, "webp": streams.walk_riff, "ogg": streams.walk_ogg,
    "mp4": streams.walk_mp4, "mp3": streams.walk_mp3, "flac": flac.walk_flac,
}  # fmt: skip


def inspector(kind: str) -> Inspector:
    """The inspector of a format of pictures or sound."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        try:
            walked = _WALKS[kind](blob.data, blob.start, blob.end)
        except SubjectError as error:
            inspection.skip(blob, f"the {kind} cannot be read to its end: {error.cause}", AGAIN)
            return
        for text in walked.texts:
            inspection.text(blob, text)
        graph_files.probe_pickles(blob, inspection, walked.extras)
        report_rest(blob, walked.end, inspection)

    return inspect


def report_rest(blob: Blob, end: int, inspection: Inspection) -> None:
    """Report and examine what follows the end of the data."""
    rest = bytes(blob.data[end : min(end + 64, blob.end)])
    if blob.end - end <= len(rest) and not rest.strip(b"\0\r\n \t"):
        return  # padding
    message = f"{blob.end - end:,} bytes follow the end of the data."
    inspection.report(rules.files.TRAILING.finding(message, blob.place(end)))
    inspection.examine(blob.member_at("(after the data)", end, blob.end - end))
