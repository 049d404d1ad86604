"""Bytes that lie encoded inside a document or attribute, written out to be a region of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.errors import LimitError


@contextmanager
def region(blob: Blob, member: str, content: bytes, inspection: Inspection) -> Iterator[Blob | None]:
    """`content` as a region called `member` inside `blob`; None, and told as skipped, beyond the budget."""
    try:
        inspection.unpacker.spend(len(content), len(content), len(content))
    except LimitError as error:
        inspection.skip(blob, f"{member} was not examined: {error.cause}", error.remedy)
        yield None
        return
    with inspection.unpacker.temporary() as file:
        file.write(content)
        with inspection.unpacker.written(file, blob, member) as inner:
            yield inner
