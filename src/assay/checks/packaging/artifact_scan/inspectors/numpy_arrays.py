"""npy: raw numbers, or one pickle where its dtype has objects. One file may hold several arrays."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import raw_storages
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, SMALLER
from assay.subjects.npy_header import MAGIC, MAX_HEADER, read_npy_header

MAX_ARRAYS = 10_000
MAX_PADDING = 4096


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Read each array; judge the pickle of an array of objects, and what follows the last array."""
    rest = blob
    for _ in range(MAX_ARRAYS):
        after = _array(rest, inspection)
        if after is None:
            return
        rest = blob.region(after, blob.end)
        if rest.size <= 0:
            return
        if rest.head(len(MAGIC)) != MAGIC:
            _trailing(rest, inspection)
            return
    inspection.skip(blob, f"more than {MAX_ARRAYS:,} arrays follow each other", SMALLER)


def _array(blob: Blob, inspection: Inspection) -> int | None:
    """Where the bytes of an array of numbers end; None where nothing is left to look at."""
    try:
        header = read_npy_header(blob.head(MAX_HEADER + 12))
    except ValueError as error:
        inspection.skip(blob, f"the npy header cannot be read: {error}", AGAIN)
        return None
    inner = blob.region(blob.start + header.start, blob.end)
    if header.size is None:
        _objects(blob, inner, inspection)
        return None
    if header.size > inner.size:
        inspection.skip(blob, "the array ends before its numbers do", AGAIN)
        return None
    if raw_storages.may_be_pickle(inner.head(2)):
        inspection.pickle(inner.region(inner.start, inner.start + header.size), probe=True)
    return inner.start + header.size


def _objects(blob: Blob, inner: Blob, inspection: Inspection) -> None:
    if inner.size <= 0:
        inspection.skip(blob, "an object array without data", AGAIN)
    elif inspection.pickle(inner, probe=False) is None:
        reason = "an array that is not of plain numbers, and without a pickle that can be read"
        inspection.skip(inner, reason, AGAIN)


def _trailing(rest: Blob, inspection: Inspection) -> None:
    if rest.size <= MAX_PADDING and not rest.head(rest.size).strip(b"\0"):
        return
    message = f"{rest.size:,} bytes follow the array; a second load from the same file would read them."
    inspection.report(rules.pickles.TRAILING.finding(message, rest.place(rest.start)))
    inspection.pickle(rest, probe=True)
