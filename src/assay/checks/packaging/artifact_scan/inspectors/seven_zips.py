"""7z: folders are unpacked to temporary files one after the other, and their members examined there."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import (
    report_link,
    report_names,
    report_traversal,
)
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, raised
from assay.checks.packaging.artifact_scan.unpacking import BROKEN
from assay.core.errors import LimitError, SubjectError
from assay.core.finding import Finding
from assay.subjects.archives.optional_codecs import HINT, MissingCodecError
from assay.subjects.archives.seven_zip import SevenZip, SevenZipFolder, SevenZipMember, read_seven_zip
from assay.subjects.archives.seven_zip_codec import unpack_bounded, unpack_folder


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Examine the members."""
    archive = _archive(blob, inspection)
    if archive is None:
        return
    report_names(blob, "7z", [m.name for m in archive.members if not m.is_directory], inspection)
    for member in archive.members:
        report_traversal(blob, member.name, inspection)
    by_folder: dict[int, list[SevenZipMember]] = {}
    for member in archive.members:
        by_folder.setdefault(member.folder, []).append(member)
    for index, folder in enumerate(archive.folders):
        _folder(blob, folder, by_folder.get(index, []), inspection)
    if archive.end < blob.end:
        size = blob.end - archive.end
        message = f"{size:,} bytes follow the end of the 7z archive."
        inspection.report(rules.files.TRAILING.finding(message, blob.place()))
        inspection.examine(blob.member_at("(after the 7z)", archive.end, size))


def _archive(blob: Blob, inspection: Inspection) -> SevenZip | None:
    def unpack(folder: SevenZipFolder, most: int) -> bytes:
        raw = unpack_bounded(blob.data, folder, most)
        inspection.unpacker.spend(len(raw), len(raw), folder.packed)
        return raw

    try:
        archive = read_seven_zip(blob.data, blob.start, blob.end, unpack)
    except (SubjectError, MissingCodecError, *BROKEN) as error:
        inspection.skip(blob, f"the 7z archive cannot be read: {_cause(error)}", _next_step(error))
        return None
    for problem in archive.problems:
        message = f"The 7z archive is inconsistent: {problem}."
        inspection.report(rules.files.ARCHIVE.finding(message, blob.place()))
    if len(archive.members) > inspection.options.max_members:
        reason = f"the 7z archive has more than {inspection.options.max_members:,} members"
        inspection.skip(blob, reason, raised("max_members"))
        return None
    return archive


def _folder(
    blob: Blob, folder: SevenZipFolder, members: Sequence[SevenZipMember], inspection: Inspection
) -> None:
    """Unpack a folder and examine what lies in it; what came out before an error is examined, too."""
    with inspection.unpacker.temporary() as file:
        reason: Exception | None = None
        total = crc = 0
        try:
            for piece in unpack_folder(blob.data, folder):
                total += len(piece)
                inspection.unpacker.spend(len(piece), total, folder.packed)
                crc = zlib.crc32(piece, crc)
                file.write(piece)
        except (SubjectError, MissingCodecError, *BROKEN) as error:
            reason = error
        with inspection.unpacker.written(file, blob, "") as inner:
            for member in members:
                _member(blob, inner, member, reason, inspection)
        if not members:
            inspection.skip(blob, "a folder of the 7z archive has no members", AGAIN)
        elif reason is None and folder.crc is not None and crc != folder.crc:
            inspection.report(_crc(blob, members[0].name))


def _member(
    blob: Blob, inner: Blob | None, member: SevenZipMember, reason: Exception | None, inspection: Inspection
) -> None:
    if member.size == 0:
        return
    end = member.offset + member.size
    if inner is None or end > inner.size:
        place = blob.member_at(member.name, blob.start, 0)
        inspection.skip(place, f"the member cannot be unpacked: {_cause(reason)}", _next_step(reason))
        return
    part = replace(inner, start=member.offset, end=end, member=blob.inside(member.name))
    if member.crc is not None and zlib.crc32(memoryview(part.data)[part.start : part.end]) != member.crc:
        inspection.report(_crc(blob, member.name))
    if member.link:
        report_link(blob, member.name, part.head(4096).decode("utf-8", "replace"), inspection)
    else:
        inspection.examine(part)


def _cause(error: Exception | None) -> str:
    if isinstance(error, MissingCodecError):
        return f"the library for {error} is not installed"
    if isinstance(error, LimitError | SubjectError):
        return error.cause
    return str(error) or type(error).__name__


def _next_step(error: Exception | None) -> str:
    if isinstance(error, MissingCodecError):
        return HINT
    return error.remedy if isinstance(error, SubjectError) and error.remedy else AGAIN


def _crc(blob: Blob, name: str) -> Finding:
    message = f"Member {name[:100]!r} of the 7z archive does not have the CRC-32 that is stated."
    return rules.files.ARCHIVE.finding(message, blob.place())
