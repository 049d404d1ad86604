"""ExecuTorch: operators and backends of no stock runtime, segments that do not fit, pickles."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.subjects.graphs.executorch import ExecuTorchProgram, read_program
from assay.subjects.graphs.executorch_data import read_data
from assay.subjects.graphs.flatbuffers import OutsideError

MAX_FINDINGS = 100


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a program."""
    with graph_files.parsing(blob, inspection, "ExecuTorch program"):
        try:
            program = read_program(blob.data, blob.start, blob.end)
        except OutsideError as error:
            message = f"The ExecuTorch program cannot be trusted: {error.cause}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
            return
        for problem in program.problems:
            message = f"In the ExecuTorch program, {problem}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
        _custom(blob, program, inspection)
        graph_files.probe_pickles(blob, inspection, (*program.segments, *(span for _, span in program.specs)))
    graph_files.other_readings(blob, inspection, "executorch")


def inspect_data(blob: Blob, inspection: Inspection) -> None:
    """Judge tensors that lie in a file of their own."""
    with graph_files.parsing(blob, inspection, "ExecuTorch data"):
        try:
            found = read_data(blob.data, blob.start, blob.end)
        except OutsideError as error:
            message = f"The ExecuTorch data cannot be trusted: {error.cause}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
            return
        for problem in found.problems:
            message = f"In the ExecuTorch data, {problem}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
        graph_files.probe_pickles(blob, inspection, found.segments)
        for start, end in found.gaps:
            if blob.data[start:end].strip(b"\0"):
                message = f"{end - start:,} bytes between its segments belong to none."
                inspection.report(rules.graphs.MALFORMED.finding(message, blob.place(start)))
                inspection.examine(blob.member_at("(between the segments)", start, end - start))
        if found.end < blob.end:
            message = f"{blob.end - found.end:,} bytes follow the end of the data."
            inspection.report(rules.files.TRAILING.finding(message, blob.place(found.end)))
            inspection.examine(blob.member_at("(after the data)", found.end, blob.end - found.end))
    graph_files.other_readings(blob, inspection, "executorch-data")


def _custom(blob: Blob, program: ExecuTorchProgram, inspection: Inspection) -> None:
    namespaces = operators.known("executorch", "namespaces")
    foreign = [name for name in program.operators if name.partition("::")[0] not in namespaces]
    backends = [name for name in program.delegates if name not in operators.known("executorch", "backends")]
    for kind, name in (*(("Operator", n) for n in foreign), *(("Backend", n) for n in backends))[
        :MAX_FINDINGS
    ]:
        message = f"{kind} {name[:80]!r} is in no stock ExecuTorch: it needs a library of its own."
        inspection.report(rules.graphs.CUSTOM.finding(message, graph_files.place(blob, blob.start, name)))
