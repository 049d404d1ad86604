"""zip: every member is examined; only what a PyTorch zip's pickle calls a storage counts as raw numbers."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import raw_storages, torch_parts, torch_zips
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import (
    report_link,
    report_traversal,
    report_unpacking,
)
from assay.checks.packaging.artifact_scan.inspectors.zip_methods import METHODS
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, UNPACK, raised
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Severity
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember, read_directory

_KERAS = frozenset({"config.json", "metadata.json"})  # keras/src/saving/saving_lib.py
_EMPTY_DEFLATED = 2  # what zero bytes deflate to


def inspect(blob: Blob, inspection: Inspection, *, appended: bool = False) -> None:
    """Examine the members, a PyTorch zip's pickles first, for they tell which members are raw numbers.

    `appended`: that bytes of another format stand before the zip is as it should be.
    """
    if torch_parts.inspect(blob, inspection):
        return
    directory = _directory(blob, inspection, appended=appended)
    if directory is None:
        return
    layout = torch_zips.layout_of(directory)
    if layout.kind:
        inspection.outcome.rename(blob, layout.kind)
    elif {member.name for member in directory.members} >= _KERAS:
        inspection.outcome.rename(blob, "keras")
    if layout.kind == torch_zips.TORCHSCRIPT:
        inspection.outcome.namespaces[blob.name] = "__torch__."
    for member in layout.first:
        _member(blob, member, inspection, inspection.examine)
    for member in layout.code:
        _member(blob, member, inspection, lambda inner: torch_zips.judge_code(inner, inspection))
    storages = torch_zips.storages(blob, layout, inspection.outcome)
    done = {id(member) for member in (*layout.first, *layout.code)}
    for member in directory.members:
        if id(member) not in done:
            _other(blob, member, storages, inspection)


def _other(blob: Blob, member: ZipMember, storages: dict[str, int], inspection: Inspection) -> None:
    """Examine a member, or leave it as raw numbers where it is a storage and begins as no file does."""
    head = blob.member_at(member.name, member.start, member.packed)
    if not _is_storage(member, storages) or raw_storages.begins_as_file(head.head(8)):
        _member(blob, member, inspection, inspection.examine)
    elif raw_storages.may_be_pickle(head.head(2)):
        inspection.pickle(head, probe=True)


def inspect_hidden(blob: Blob, inspection: Inspection) -> None:
    """Examine the zip at the end of a file that is something else, where a zip reader would find one."""
    try:
        directory = read_directory(blob.data, blob.start, blob.end)
    except SubjectError:
        return  # no reader takes it for a zip
    if directory.members:
        message = f"Zip readers open it as a zip of {len(directory.members):,} members, whatever else it is."
        inspection.report(rules.files.POLYGLOT.finding(message, blob.place()))
        region = blob.region(directory.base, directory.after)
        inspect(region, inspection)


def _is_storage(member: ZipMember, storages: dict[str, int]) -> bool:
    plain = member.method == STORED and not member.encrypted and member.size == member.packed
    return plain and storages.get(member.name) == member.size


def _directory(blob: Blob, inspection: Inspection, *, appended: bool) -> ZipDirectory | None:
    try:
        directory = read_directory(blob.data, blob.start, blob.end, appended=appended)
    except SubjectError as error:
        inspection.skip(blob, f"the zip cannot be read: {error.cause}", AGAIN)
        return None
    for severity, sentences in ((None, directory.problems), (Severity.LOW, directory.remarks)):
        for problem in sentences:
            message = f"The zip is inconsistent: {problem}."
            inspection.report(rules.files.ARCHIVE.finding(message, blob.place(), severity=severity))
    if len(directory.members) > inspection.options.max_members:
        reason = f"the zip has more than {inspection.options.max_members:,} members"
        inspection.skip(blob, reason, raised("max_members"))
        return None
    if directory.base > blob.start:
        inspection.examine(blob.member_at("(before the zip)", blob.start, directory.base - blob.start))
    if directory.after < blob.end:
        inspection.examine(blob.member_at("(after the zip)", directory.after, blob.end - directory.after))
    return directory


def _member(blob: Blob, member: ZipMember, inspection: Inspection, look: Callable[[Blob], None]) -> None:
    for name in filter(None, (member.name, member.alias)):
        report_traversal(blob, name, inspection)
    inner = blob.member_at(member.name, member.start, member.packed)
    if member.encrypted:
        message = f"Member {member.name[:100]!r} is marked as encrypted; some readers ignore the mark."
        inspection.report(rules.files.ARCHIVE.finding(message, inner.place()))
        inspection.skip(inner, "the member is encrypted", UNPACK)
    if member.size == 0 and member.packed <= _EMPTY_DEFLATED:
        if member.crc:
            inspection.report(_crc(inner, member))
        return
    if member.link:
        look = _link(blob, member, inspection)
    if member.method == STORED:
        if zlib.crc32(memoryview(blob.data)[inner.start : inner.end]) != member.crc:
            inspection.report(_crc(inner, member))
        look(inner)
    elif make := METHODS.get(member.method):
        _packed(blob, inner, member, make, inspection, look)
    else:
        reason = f"packed by method {member.method}, which is not judged by this version"
        inspection.skip(inner, reason, UNPACK)


def _link(blob: Blob, member: ZipMember, inspection: Inspection) -> Callable[[Blob], None]:
    def look(inner: Blob) -> None:
        report_link(blob, member.name, inner.head(4096).decode("utf-8", "replace"), inspection)
        if inner.size > 4096:  # noqa: PLR2004  no file system takes so long a target
            inspection.examine(inner)

    return look


def _packed(
    blob: Blob,
    inner: Blob,
    member: ZipMember,
    make: Callable[[], Any],
    inspection: Inspection,
    look: Callable[[Blob], None],
) -> None:
    # Named as in the archive: that it is packed is no level of its own.
    region = replace(inner, member=blob.member, depth=blob.depth)
    with inspection.unpacker.unpacked(region, member.name, make) as (unpacked, reason):
        if reason:
            report_unpacking(inner, reason, inspection, "the member")
        if unpacked is None:
            inspection.examine(
                inner.region(inner.start, inner.start)
            )  # empty, which some files are by design
            return
        if zlib.crc32(unpacked.data) != member.crc or unpacked.size != member.size:
            inspection.report(_crc(inner, member))
        look(unpacked)


def _crc(blob: Blob, member: ZipMember) -> Finding:
    message = f"Member {member.name[:100]!r} does not have the size or CRC-32 that the directory states."
    return rules.files.ARCHIVE.finding(message, blob.place())
