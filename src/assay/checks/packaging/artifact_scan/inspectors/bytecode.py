"""Python byte code: what it names and says is held against the source beside it."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.bytecode import Bytecode, judge
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.native import poses_as_data
from assay.checks.packaging.artifact_scan.texts import secrets
from assay.core.errors import LimitError, SubjectError
from assay.core.finding import Severity
from assay.subjects.bytecode import read_code, read_header

MAX_PICKLES = 100
_PICKLE = b"\x80"


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Read header, names and constants; nothing is unmarshalled."""
    if poses_as_data(blob):
        message = "It is Python byte code under the name of data."
        inspection.report(rules.code.BYTECODE.finding(message, blob.place(), severity=Severity.HIGH))
        return
    header = None
    try:
        header = read_header(blob.head(16))
        codes, end = read_code(blob.data, blob.start + header.start, blob.end, header.version)
    except (LimitError, SubjectError) as error:
        _hold(Bytecode(blob.name, blob.place(), header, trouble=error.cause), inspection)
        return
    names = frozenset(name for code in codes for name in (*code.names, *code.variables))
    texts = {text for code in codes for text in code.texts}
    data = {constant for code in codes for constant in code.data}
    said = frozenset(texts | {constant.decode("latin-1") for constant in data})
    _hold(Bytecode(blob.name, blob.place(), header, names, said), inspection)
    secrets.judge(blob, "\n".join(sorted(texts)), inspection, lines=False)
    _pickles(blob, sorted(data), inspection)
    if end < blob.end:
        message = f"{blob.end - end:,} bytes follow the end of the code; Python does not read them."
        inspection.report(rules.files.TRAILING.finding(message, blob.place(end)))
        inspection.examine(blob.member_at("(after the code)", end, blob.end - end))


def _hold(one: Bytecode, inspection: Inspection) -> None:
    for finding in judge(one, inspection.folder):
        inspection.report(finding)


def _pickles(blob: Blob, constants: list[bytes], inspection: Inspection) -> None:
    """Read constants that start like a pickle as one."""
    from assay.checks.packaging.artifact_scan.embedded import region  # noqa: PLC0415  needed for few

    likely = [data for data in constants if data.startswith(_PICKLE) and data.endswith(b".")]
    for number, data in enumerate(likely[:MAX_PICKLES]):
        with region(blob, f"(constant {number})", data, inspection) as inner:
            if inner is not None:
                inspection.pickle(inner, probe=True)
