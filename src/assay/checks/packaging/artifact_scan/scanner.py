"""Examines one file: what it is, what it holds, and what loading it would do."""

from __future__ import annotations

import ast
import mmap
import os
import struct
from pathlib import Path

from assay.checks.packaging.artifact_scan import formats, rules
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.containers import Unpacker
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.pickles import judge, unavailable
from assay.checks.packaging.artifact_scan.text import judge_json, judge_text
from assay.core.canonical import JSON
from assay.core.errors import SubjectError
from assay.core.report import Skipped
from assay.subjects.pickles.machine import MachinePool
from assay.subjects.safetensors_header import read_header_within

NOT_JUDGED = "{} is not judged by this version"


class Scanner:
    """Examines files, any number at the same time.

    Args:
        pool: where pickles are read.
        options: bounds and extra allowed globals.
        workspace: folder for unpacked members.
    """

    def __init__(self, pool: MachinePool, options: ArtifactScanOptions, workspace: Path) -> None:
        self._pool = pool
        self._options = options
        self._unpacker = Unpacker(str(workspace), options)

    def file(self, path: Path, name: str) -> Outcome:
        """Examine the file at `path`, reported as `name`; never raises for what is in it."""
        outcome = Outcome()
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            outcome.skipped.append(
                Skipped(name, f"cannot be read: {error.strerror}", "Check its permissions.")
            )
            return outcome
        try:
            size = os.fstat(fd).st_size
            if size == 0:
                outcome.skipped.append(Skipped(name, "the file is empty", "Remove it, or get it again."))
                return outcome
            data = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
            outcome.bytes += size
            examination = _Examination(self._pool, self._options, self._unpacker)
            examination.examine(Blob(data, fd, 0, size, name), outcome)
        except (OSError, ValueError, MemoryError, RecursionError, struct.error) as error:
            outcome.skipped.append(Skipped(name, f"could not be examined: {type(error).__name__}: {error}"))
        finally:
            os.close(fd)
        return outcome


class _Examination:
    """One file and all that is nested in it."""

    def __init__(self, pool: MachinePool, options: ArtifactScanOptions, unpacker: Unpacker) -> None:
        self._pool = pool
        self._options = options
        self._unpacker = unpacker

    def examine(self, blob: Blob, outcome: Outcome) -> None:
        """Recognise and judge a region."""
        if blob.depth > self._options.max_depth:
            outcome.skip(blob, f"nested more than {self._options.max_depth} archives deep")
            return
        if blob.size <= 0:
            outcome.skip(blob, "the member is empty")
            return
        found = formats.recognise(blob)
        # Some loader may take any file for a pickle, whatever else it is.
        starts_as_zip = found == "zip" and blob.head(2) == b"PK"
        if not starts_as_zip and self._pickle(blob, outcome, probe=True):
            found = "pickle" if found in {"unknown", "safetensors"} else found
        if found == "unknown":
            found = self._text(blob, outcome)
        lie = formats.lies(blob, found)
        if lie:
            message = f"The file is {found}, but its name says {lie}."
            outcome.findings.append(rules.LYING.finding(message, blob.place()))
        self._open(blob, found, outcome)

    def _open(self, blob: Blob, found: str, outcome: Outcome) -> None:
        if found == "pickle":
            return
        document: dict[str, JSON] = {"file": blob.name, "format": found}
        outcome.documents.append(document)
        if found == "zip":
            if self._unpacker.zip(blob, self.examine, outcome):
                document["format"] = "pytorch-zip"
        elif found == "tar":
            self._unpacker.tar(blob, self.examine, outcome)
        elif found in formats.COMPRESSED:
            self._unpacker.gzip_like(blob, found, self.examine, outcome)
        elif found == "npy":
            self._npy(blob, outcome)
        elif found == "safetensors":
            self._safetensors(blob, outcome)
        elif found in formats.UNJUDGED or found == "unknown":
            outcome.skip(blob, NOT_JUDGED.format("this format" if found == "unknown" else found))

    def _pickle(self, blob: Blob, outcome: Outcome, *, probe: bool) -> bool:
        try:
            with self._pool.lend() as machine:
                return judge(blob, machine, self._options.allow, outcome, probe=probe)
        except SubjectError as error:
            unavailable(blob, outcome, error)
            return False

    def _text(self, blob: Blob, outcome: Outcome) -> str:
        if b"\0" in blob.head(4096):
            return "unknown"
        if formats.is_code(blob):
            outcome.skip(blob, NOT_JUDGED.format("a program, graph or notebook"))
            return "text"
        try:
            text = blob.head(self._options.max_text).decode("utf-8-sig")
        except UnicodeDecodeError:
            return "unknown"
        if blob.size > self._options.max_text:
            outcome.skip(blob, f"only its first {self._options.max_text:,} bytes were examined")
        if judge_json(blob, text, outcome):
            return "json"
        judge_text(blob, text, outcome)
        return "text"

    def _npy(self, blob: Blob, outcome: Outcome) -> None:
        """An .npy holds raw numbers, or one pickle where its dtype has objects (NEP 1)."""
        major = blob.head(7)[6]
        width = 2 if major == 1 else 4
        start = 8 + width
        length = int.from_bytes(blob.head(start)[8:], "little")
        header = blob.head(start + length)[start:]
        try:
            if length > 1 << 20 or major not in {1, 2, 3}:
                raise ValueError("its header is too long")  # noqa: TRY301
            described = ast.literal_eval(header.decode("latin-1").strip())
            descr = repr(described["descr"])
        except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
            outcome.skip(blob, f"the npy header cannot be read: {error}")
            return
        inner_start = blob.start + start + length
        if "O" in descr:
            if inner_start < blob.end:
                inner = Blob(blob.data, blob.fd, inner_start, blob.end, blob.path, blob.member, blob.depth)
                if not self._pickle(inner, outcome, probe=False):
                    outcome.skip(inner, "an object array without a pickle that can be read")
            else:
                outcome.skip(blob, "an object array without data")

    def _safetensors(self, blob: Blob, outcome: Outcome) -> None:
        try:
            header = read_header_within(blob.data, blob.start, blob.end, blob.name)
        except SubjectError as error:
            message = f"The safetensors file cannot be trusted: {error.cause}."
            outcome.findings.append(rules.SAFETENSORS.finding(message, blob.place()))
            return
        for problem in header.problems:
            outcome.findings.append(rules.SAFETENSORS.finding(f"In the header: {problem}.", blob.place()))
        for value in header.metadata.values():
            judge_text(blob, value, outcome)
