"""zip: every member is examined; only what a PyTorch zip's pickle calls a storage counts as raw numbers."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import raw_storages
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import report_traversal
from assay.checks.packaging.artifact_scan.unpacking import MAKERS, MAX_DICTIONARY
from assay.core.errors import SubjectError
from assay.core.finding import Finding
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember, read_directory


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Examine the members, a PyTorch zip's pickle first."""
    directory = _directory(blob, inspection)
    if directory is None:
        return
    pickles = [m for m in directory.members if PurePosixPath(m.name).name == "data.pkl"]
    for member in pickles:
        _member(blob, member, inspection)
    if pickles:
        inspection.outcome.rename(blob, "pytorch-zip")
    storages = {
        m.name[: -len("data.pkl")] + "data/" + key: size
        for m in pickles
        for key, size in inspection.outcome.storages.get(f"{blob.path}!/{blob.inside(m.name)}", {}).items()
        if raw_storages.is_key(key)
    }
    for member in directory.members:
        if member in pickles or (member.name.endswith("/") and member.size == 0):
            continue
        plain = member.method == STORED and not member.encrypted and member.size == member.packed
        head = blob.member_at(member.name, member.start, member.packed)
        if not plain or storages.get(member.name) != member.size or raw_storages.begins_as_file(head.head(8)):
            _member(blob, member, inspection)
        elif raw_storages.may_be_pickle(head.head(2)):
            inspection.pickle(head, probe=True)


def _directory(blob: Blob, inspection: Inspection) -> ZipDirectory | None:
    try:
        directory = read_directory(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the zip cannot be read: {error.cause}")
        return None
    for problem in directory.problems:
        message = f"The zip is inconsistent: {problem}."
        inspection.report(rules.files.ARCHIVE.finding(message, blob.place()))
    if len(directory.members) > inspection.options.max_members:
        inspection.skip(blob, f"the zip has more than {inspection.options.max_members:,} members")
        return None
    return directory


def _member(blob: Blob, member: ZipMember, inspection: Inspection) -> None:
    report_traversal(blob, member.name, inspection)
    inner = blob.member_at(member.name, member.start, member.packed)
    if member.encrypted:
        message = f"Member {member.name[:100]!r} is marked as encrypted; some readers ignore the mark."
        inspection.report(rules.files.ARCHIVE.finding(message, inner.place()))
        inspection.skip(inner, "the member is encrypted")
    if member.method == STORED:
        if zlib.crc32(memoryview(blob.data)[inner.start : inner.end]) != member.crc:
            inspection.report(_crc(inner, member))
        inspection.examine(inner)
    elif make := _METHODS.get(member.method):
        _packed(blob, inner, member, make, inspection)
    else:
        inspection.skip(inner, f"packed by method {member.method}, which is not judged by this version")


def _packed(
    blob: Blob, inner: Blob, member: ZipMember, make: Callable[[], Any], inspection: Inspection
) -> None:
    # Named as in the archive: that it is packed is no level of its own.
    region = Blob(blob.data, blob.fd, inner.start, inner.end, blob.path, blob.member, blob.depth)
    with inspection.unpacker.unpacked(region, member.name, make) as (unpacked, reason):
        if reason:
            inspection.skip(inner, f"the member cannot be unpacked: {reason}")
        if unpacked is None:
            inspection.skip(inner, "the member is empty")
            return
        if zlib.crc32(unpacked.data) != member.crc or unpacked.size != member.size:
            inspection.report(_crc(inner, member))
        inspection.examine(unpacked)


def _crc(blob: Blob, member: ZipMember) -> Finding:
    message = f"Member {member.name[:100]!r} does not have the size or CRC-32 that the directory states."
    return rules.files.ARCHIVE.finding(message, blob.place())


class _ZipLzma:
    """LZMA as zips hold it (APPNOTE 5.8.8): version, length of the properties, properties, raw LZMA1."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data if self._inner else b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        if self._inner is None:
            self._head += data
            if len(self._head) < 9:  # noqa: PLR2004  two shorts, one byte, one long
                return b""
            _, length, packed, dictionary = struct.unpack_from("<HHBL", self._head)
            if length != 5 or packed >= 9 * 5 * 5 or dictionary > MAX_DICTIONARY:  # noqa: PLR2004
                raise lzma.LZMAError("its properties are not judged")
            self._inner = lzma1(packed, dictionary)
            data = self._head[9:]
        return self._inner.decompress(data, limit)


def lzma1(packed: int, dictionary: int) -> lzma.LZMADecompressor:
    """A decompressor of raw LZMA1 with the properties byte `packed`."""
    rest, lc = divmod(packed, 9)
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": dictionary,
        "lc": lc,
        "lp": rest % 5,
        "pb": rest // 5,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])


_METHODS: dict[int, Callable[[], Any]] = {
    8: MAKERS["deflate"],
    12: MAKERS["bzip2"],
    14: _ZipLzma,
}
