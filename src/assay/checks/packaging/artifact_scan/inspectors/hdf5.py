"""HDF5: what stands around it, where its data come from, and the texts it holds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from assay.checks.packaging.artifact_scan import embedded, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, CONVERT, SMALLER
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Severity
from assay.subjects.hdf5.reader import Limits, read_hdf5
from assay.subjects.hdf5.records import Hdf5Record, Text
from assay.subjects.hdf5.superblock import Superblock, read_superblock

MAX_FINDINGS = 100  # of one kind; the rest says the same
MAX_PROBES = 2_000  # values that are tried as pickles
MAX_REASONS = 20
_MANY = 1 << 30
# Community filters registered with The HDF Group that hdf5plugin ships: native code, but well known.
_KNOWN_FILTERS = frozenset({307, 32001, 32004, 32008, 32013, 32015, 32017, 32018, 32026})
_MATLAB = b"MATLAB 7."
_WHAT = {
    "external": "The link {path!r} leads to {target!r} in the file {file!r}",
    "storage": "The data of {path!r} lie in the file {file!r}",
    "virtual": "The dataset {path!r} is put together from {target!r} in the file {file!r}",
}


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge one HDF5 file."""
    try:
        superblock = read_superblock(blob.data, blob.start, blob.end)
        _around(blob, superblock, inspection)
        bounds = Limits(inspection.options.memory, inspection.options.seconds)
        record = read_hdf5(blob.fd, blob.start, blob.size, bounds)
    except SubjectError as error:
        inspection.skip(blob, error.cause, error.remedy or AGAIN)
        return
    inspection.outcome.notes |= set(record.notes)
    for finding in _findings(blob, record, inspection.options.max_ratio):
        inspection.report(finding)
    for reason in record.incomplete[:MAX_REASONS]:
        inspection.skip(blob, f"the HDF5 file was not read to its end: {reason}", AGAIN)
    _texts(blob, record.texts, inspection)


def _around(blob: Blob, superblock: Superblock, inspection: Inspection) -> None:
    """Examine the user block and what follows the end as files of their own."""
    for name, where, start, end in (
        ("user block", "before", blob.start, superblock.start),
        ("trailing bytes", "after", superblock.end, blob.end),
    ):
        if start >= end or _only_zeros(blob, start, end):
            continue
        head = bytes(blob.data[start : start + len(_MATLAB)])
        known = head == _MATLAB and end - start == 512  # noqa: PLR2004  what MATLAB and Octave write
        message = f"{end - start:,} bytes stand {where} the HDF5 file; they begin with {head!r}."
        finding = rules.hdf5.FOREIGN.finding(
            message, blob.place(start), severity=Severity.INFO if known else None
        )
        inspection.report(finding)
        if not known:
            inspection.examine(blob.member_at(name, start, end - start))


def _only_zeros(blob: Blob, start: int, end: int) -> bool:
    return not any(any(blob.data[at : min(at + (1 << 20), end)]) for at in range(start, end, 1 << 20))


def _findings(blob: Blob, record: Hdf5Record, ratio: int) -> list[Finding]:
    found = []
    for link in record.links:
        place = replace(blob.place(), name=link.path[:200])
        shown = {"path": link.path[:60], "file": link.file[:60], "target": link.target[:60]}
        if link.kind == "soft":
            message = f"The soft link {shown['path']!r} leads to {shown['target']!r}."
            found.append(rules.hdf5.SOFT.finding(message, place))
        elif link.file != ".":
            found.append(rules.hdf5.OUTSIDE.finding(_WHAT[link.kind].format(**shown) + ".", place))
    for one in record.filters:
        known = one.number in _KNOWN_FILTERS
        message = f"Reading {one.path[:80]!r} loads the plug-in of filter {one.number} ({one.name[:60]!r})."
        place = replace(blob.place(), name=one.path[:200])
        found.append(rules.hdf5.FILTER.finding(message, place, severity=Severity.LOW if known else None))
    for shape in record.shapes:
        if shape.claimed > max(_MANY, ratio * shape.stored):
            message = (
                f"The dataset {shape.path[:80]!r} claims {shape.claimed:,} bytes and has {shape.stored:,}."
            )
            found.append(rules.hdf5.SHAPE.finding(message, replace(blob.place(), name=shape.path[:200])))
    return _capped(found)


def _capped(found: list[Finding]) -> list[Finding]:
    counts: dict[tuple[str, Severity], int] = {}
    kept = []
    for finding in found:
        key = (finding.rule, finding.severity)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= MAX_FINDINGS:
            kept.append(finding)
    return kept


def _texts(blob: Blob, texts: tuple[Text, ...], inspection: Inspection) -> None:
    probed: set[bytes] = set()
    for text in texts:
        inner = replace(blob, member=blob.inside(text.place))
        decoded = text.value.decode("utf-8", "replace")
        document = _document(inner, decoded, inspection)
        if document is not None:
            inspection.document(inner, document)
            continue
        inspection.text(inner, decoded)
        if text.single and b"." in text.value and text.value not in probed:
            probed.add(text.value)
            if len(probed) > MAX_PROBES:
                inspection.skip(blob, f"only {MAX_PROBES:,} of its values were tried as pickles", CONVERT)
                return
            _pickle(blob, text, inspection)


def _document(blob: Blob, text: str, inspection: Inspection) -> Any:
    """What a JSON object or list says; None where the text is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
    except RecursionError:
        inspection.skip(blob, "the JSON text is nested too deeply to be read", SMALLER)
        return None


def _pickle(blob: Blob, text: Text, inspection: Inspection) -> None:
    """PyTables unpickles attributes that end with a full stop, and the rows of object arrays."""
    with embedded.region(blob, text.place, text.value, inspection) as inner:
        if inner is not None:
            inspection.pickle(inner, probe=True)
