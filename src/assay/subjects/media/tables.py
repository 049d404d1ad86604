"""Parquet and Arrow IPC files: their metadata, which may hold a pickled type (CVE-2023-47248)."""

from __future__ import annotations

import base64
import binascii
import re

from assay.core.errors import SubjectError
from assay.subjects.media.walked import Data, take

PICKLED_TYPE = b"arrow.py_extension_type"
MAX_METADATA = 64 << 20
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


def parquet_metadata(data: Data, start: int, end: int) -> bytes:
    """The footer, and after it whatever stands in it as base64, as the Arrow schema does.

    Raises:
        SubjectError: the file does not end as a Parquet file does, or its footer leaves the file.
    """
    if end - start < 12 or data[end - 4 : end] != b"PAR1":  # noqa: PLR2004  two marks and a length
        raise SubjectError("it does not end as a Parquet file does")
    footer = _footer(data, start + 4, end - 8, int.from_bytes(data[end - 8 : end - 4], "little"))
    return footer + b"".join(_decoded(run) for run in _BASE64.findall(footer))


def _decoded(run: bytes) -> bytes:
    try:
        return base64.b64decode(run[: len(run) // 4 * 4])
    except binascii.Error:
        return b""


def arrow_metadata(data: Data, start: int, end: int) -> bytes:
    """The schema message and the footer.

    Raises:
        SubjectError: the file does not end as an Arrow file does, or these leave the file.
    """
    if end - start < 24 or data[end - 6 : end] != b"ARROW1":  # noqa: PLR2004  two marks and two lengths
        raise SubjectError("it does not end as an Arrow file does")
    footer = _footer(data, start + 8, end - 10, int.from_bytes(data[end - 10 : end - 6], "little"))
    at = start + 8
    if data[at : at + 4] == b"\xff\xff\xff\xff":
        at += 4
    size = int.from_bytes(take(data, at, 4, end), "little")
    return footer + _footer(data, at + 4, at + 4 + size, size, end)


def _footer(data: Data, first: int, stop: int, size: int, end: int | None = None) -> bytes:
    if not 0 < size <= min(MAX_METADATA, stop - first) or (end is not None and stop > end):
        raise SubjectError("its metadata leave the file")
    return bytes(data[stop - size : stop])
