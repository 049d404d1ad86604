"""npy: raw numbers, or one pickle where its dtype has objects (NEP 1)."""

from __future__ import annotations

import ast

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

MAX_HEADER = 1 << 20


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Read the header; judge the pickle of an object array."""
    major = blob.head(7)[6]
    start = 8 + (2 if major == 1 else 4)
    length = int.from_bytes(blob.head(start)[8:], "little")
    try:
        descr = _descr(blob, major, start, length)
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        inspection.skip(blob, f"the npy header cannot be read: {error}")
        return
    if "O" not in descr:
        return
    inner = blob.region(blob.start + start + length, blob.end)
    if inner.size <= 0:
        inspection.skip(blob, "an object array without data")
    elif inspection.pickle(inner, probe=False) is None:
        inspection.skip(inner, "an object array without a pickle that can be read")


def _descr(blob: Blob, major: int, start: int, length: int) -> str:
    if length > MAX_HEADER or major not in {1, 2, 3}:
        raise ValueError("its header is too long")
    header = blob.head(start + length)[start:]
    return repr(ast.literal_eval(header.decode("latin-1").strip())["descr"])
