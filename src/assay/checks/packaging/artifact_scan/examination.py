"""One file and all that is nested in it: recognised by content, handed to the inspector of its format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.checks.packaging.artifact_scan import documents, extensions, formats, inspectors, rules, texts
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, CONVERT, raised
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.pickles import judge
from assay.checks.packaging.artifact_scan.unpacking import Unpacker
from assay.core.errors import SubjectError
from assay.core.finding import Finding
from assay.subjects.archives.zip_end import is_zip
from assay.subjects.pickles.machine import MachinePool
from assay.subjects.pickles.records import PickleRecord

# Formats that a pickle may pose as: whatever else starts so is no loader's idea of a pickle.
_MAY_BE_PICKLE = frozenset({"unknown", "safetensors"})
# Formats that a text may begin as (`GIF89a = 1` is Python), whose readers give nothing of what is not whole.
_WHOLE_OR_NOTHING = frozenset({
    "gif", "wav", "webp", "ogg", "mp3", "parquet", "arrow", "bzip2", "zlib", "lzma", "catboost",
    "xgboost binary",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examination:
    """The examination of one file; it is the `Inspection` that inspectors see."""

    pool: MachinePool
    options: ArtifactScanOptions
    unpacker: Unpacker
    outcome: Outcome
    folder: Path | None = None

    def examine(self, blob: Blob) -> None:
        """Recognise and judge a region."""
        if blob.depth > self.options.max_depth:
            self.skip(blob, f"nested more than {self.options.max_depth} archives deep", raised("max_depth"))
        elif blob.size <= 0 and texts.may_be_empty(blob.name):
            self.outcome.documents.append({"file": blob.name, "format": "text"})
        elif blob.size <= 0:
            self.skip(blob, "the member is empty", AGAIN)
        else:
            self._look(blob)

    def _look(self, blob: Blob) -> None:
        found = formats.recognise(blob)
        # Some loader may take any file for a pickle, whatever else it is.
        starts_as_zip = found == "zip" and blob.head(2) == b"PK"
        is_pickle = not starts_as_zip and self.pickle(blob, probe=True) is not None
        if is_pickle and found in _MAY_BE_PICKLE:
            found = "pickle"
        # A program may be written so that it is a pickle as well, and begin as anything.
        readable = found != "pickle" or texts.is_program(blob.name)
        text = texts.recognise(blob, self.options.max_text) if readable else None
        if text is not None and (found in {"unknown", "pickle"} or self._is_only_text(blob, found)):
            found = text.kind
        self._compare_name(blob, found)
        if text is not None:
            self._read(blob, text)
        self._open(blob, found)

    def _is_only_text(self, blob: Blob, found: str) -> bool:
        """Whether a text merely begins as a format: no reader of that gets anywhere with it."""
        if found not in _WHOLE_OR_NOTHING:
            return False
        tried = replace(self, outcome=Outcome())
        inspectors.INSPECTORS[found](blob, tried)
        read = tried.outcome.findings or tried.outcome.documents or not tried.outcome.skipped
        return not read

    def _compare_name(self, blob: Blob, found: str) -> None:
        if lie := extensions.lies(blob, found):
            promised, severity = lie
            message = f"The file is {found}, but its name says {promised}."
            self.report(rules.files.LYING.finding(message, blob.place(), severity=severity))

    def _open(self, blob: Blob, found: str) -> None:
        if found == "pickle":
            return  # judged where it was recognised
        self.outcome.documents.append({"file": blob.name, "format": found})
        inspect = inspectors.INSPECTORS.get(found)
        if inspect is not None:
            inspect(blob, self)
        elif found not in texts.KINDS:
            self._not_judged(blob, found)
        if found not in formats.HOLDERS and is_zip(blob.data, blob.start, blob.end):
            from assay.checks.packaging.artifact_scan.inspectors import zips  # noqa: PLC0415  start-up

            zips.inspect_hidden(blob, self)

    def _not_judged(self, blob: Blob, found: str) -> None:
        if found != "unknown":
            self.skip(blob, f"{found} {formats.NOT_JUDGED}", CONVERT)
            return
        self.outcome.unknown[blob.name] = blob.size
        if cut := formats.cut_off(blob):
            self.skip(blob, f"{cut}: {formats.CUT_OFF}", AGAIN)
        else:
            self.skip(blob, f"this format {formats.NOT_JUDGED}", CONVERT)

    def _read(self, blob: Blob, text: texts.Recognised) -> None:
        if blob.size > self.options.max_text:
            reason = f"only its first {self.options.max_text:,} bytes were examined"
            self.skip(blob, reason, raised("max_text"))
        texts.judge_file(blob, text, self)

    def pickle(self, blob: Blob, *, probe: bool) -> PickleRecord | None:
        """Judge a region as pickles; None where it is none."""
        try:
            with self.pool.lend() as machine:
                return judge(blob, machine, self.options.allow, self.outcome, probe=probe)
        except SubjectError as error:
            # The machine could not be started: nothing of this region counts as read.
            self.skip(blob, error.cause, error.remedy)
            return None

    def text(self, blob: Blob, text: str) -> None:
        """Judge a text that lies in `blob`."""
        texts.judge(blob, text, self)

    def document(self, blob: Blob, document: Any) -> None:
        """Judge a parsed JSON document that lies in `blob`."""
        documents.judge(blob, document, self)

    def report(self, finding: Finding) -> None:
        """Something was found."""
        self.outcome.findings.append(finding)

    def skip(self, blob: Blob, reason: str, remedy: str) -> None:
        """Something was not examined."""
        self.outcome.skip(blob, reason, remedy)
