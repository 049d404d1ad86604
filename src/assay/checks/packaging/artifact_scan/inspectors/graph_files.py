"""What the inspectors of computation graphs share: how a parse ends, and what may hide beside a graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import zips
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.core.errors import SubjectError
from assay.core.finding import Location
from assay.subjects.archives.zip_directory import read_directory
from assay.subjects.archives.zip_end import is_zip
from assay.subjects.graphs import messages
from assay.subjects.graphs.protobuf import Span, cut

MAX_PROBES = 500
_OLDER = "Save it again with an older version of its framework, or wait for a newer Assay."
_MANY = "Do not load it before its author says what they are."
_PICKLE = re.compile(rb"\x80[\x00-\x05][^\x00]|[c(][ci]?[A-Za-z_][\w.]*\n[\w.]+\n|\(i[\w.]+\n")


@contextmanager
def parsing(blob: Blob, inspection: Inspection, what: str) -> Iterator[None]:
    """Make a parse error something that was not examined."""
    try:
        yield
    except SubjectError as error:
        inspection.skip(blob, f"the {what} cannot be read to its end: {error.cause}", AGAIN)


def unknown_fields(blob: Blob, inspection: Inspection, unknown: Iterable[str]) -> None:
    """Say which fields were stepped over."""
    named = ", ".join(list(unknown)[:5])
    if named:
        inspection.skip(blob, f"it has fields that are not known to this version: {named}", _OLDER)


def place(blob: Blob, at: int, name: str) -> Location:
    """The place of a node or tensor."""
    where = blob.place(at)
    return Location(where.path, where.member, offset=where.offset, name=name[:200])


def probe_pickles(blob: Blob, inspection: Inspection, spans: Iterable[Span]) -> None:
    """Read what starts like a pickle as one."""
    tried = 0
    for start, end in spans:
        if end - start > 3 and _PICKLE.match(cut(blob.data, (start, end), 256)):  # noqa: PLR2004  no shorter pickle
            tried += 1
            if tried > MAX_PROBES:
                inspection.skip(blob, f"more than {MAX_PROBES} values in it look like pickles", _MANY)
                return
            inspection.pickle(blob.region(start, end), probe=True)


def other_readings(blob: Blob, inspection: Inspection, kind: str, *, zip_expected: bool = False) -> None:
    """Look at what else the bytes are: a model of another framework, a zip."""
    for other in messages.others(blob.data, blob.start, blob.end, kind):
        message = f"It is {kind}, but a loader of {other} finds operators in the same bytes."
        inspection.report(rules.graphs.AMBIGUOUS.finding(message, blob.place()))
    _appended_zip(blob, inspection, expected=zip_expected)


def _appended_zip(blob: Blob, inspection: Inspection, *, expected: bool) -> None:
    """Examine the zip that the bytes are besides; `expected`: a zip at the end is part of the format."""
    if not is_zip(blob.data, blob.start, blob.end):
        return
    try:
        read_directory(blob.data, blob.start, blob.end, appended=expected)
    except SubjectError:
        return  # chance bytes of a tensor: no reader of zips gets any further
    zips.inspect(blob, inspection, appended=expected)


def inspector_of_numbers(kind: str) -> Inspector:
    """The inspector of a format of numbers, which recognising it has read to its last byte."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        other_readings(blob, inspection, kind)

    return inspect
