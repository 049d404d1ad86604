"""All that a GGUF file says before its data, and what is wrong with it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 1 to 3, either byte order. The
bounds are those whose lack made readers overflow: counts and lengths (CVE-2024-21802, CVE-2024-21825,
CVE-2024-21836, CVE-2024-23496, CVE-2024-23605), sizes and padding (CVE-2025-53630, CVE-2026-33298) and
dimensions that the data do not hold (CVE-2026-7482).
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import SubjectError
from assay.subjects.gguf.cursor import Bytes, Cursor
from assay.subjects.gguf.metadata import UINT32, Entry, read_metadata
from assay.subjects.gguf.tensors import Gap, TensorInfo, check_layout, read_tensors

MAGIC = b"GGUF"
NEWEST = 3
DEFAULT_ALIGNMENT = 32
MAX_ALIGNMENT = 1 << 20
MAX_PROBLEMS = 100


class UnknownVersionError(SubjectError):
    """The file is of a version that did not exist when this was written."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a file says, and what is wrong with it.

    Attributes:
        version: 1, 2 or 3.
        order: `<` little, `>` big endian.
        alignment: bytes.
        metadata, tensors: in the order of the file.
        data_start: where the data begin, an absolute position.
        gaps: bytes of the data that belong to no tensor, up to the first tensor of unknown type.
        problems: defects that leave the rest readable, one sentence each (capped at 100).
    """

    version: int
    order: str
    alignment: int
    metadata: tuple[Entry, ...]
    tensors: tuple[TensorInfo, ...]
    data_start: int
    gaps: tuple[Gap, ...]
    problems: tuple[str, ...]

    def cursor(self, data: Bytes) -> Cursor:
        """A cursor over `data` that reads lengths as this file writes them."""
        return Cursor(data, 0, len(data), self.order, wide=self.version > 1)


def read_gguf(data: Bytes, start: int, end: int) -> GgufHeader:
    """Read and check the file that lies in `data[start:end]`.

    Raises:
        UnknownVersionError: it is newer than version 3.
        SubjectError: it is no GGUF file, is truncated, or claims more than it holds.
        LimitError: it holds more keys, strings or tensors than will be followed.
    """
    cursor = Cursor(data, start, end)
    cursor.skip(len(MAGIC), "the magic number")
    version = _version(cursor)
    problems: list[str] = []
    tensor_count, key_count = cursor.length(), cursor.length()
    metadata = read_metadata(cursor, key_count, problems)
    alignment = _alignment(metadata, problems)
    tensors = read_tensors(cursor, tensor_count, problems)
    # Positions are aligned relative to the start of the file, which may itself be a member of an archive.
    data_start = start + -(-(cursor.at - start) // alignment) * alignment
    lead = [Gap(cursor.at - data_start, min(0, end - data_start), padding=True)]
    gaps = check_layout(tensors, max(0, end - data_start), alignment, problems)
    return GgufHeader(
        version, cursor.order, alignment, metadata, tensors, data_start,
        (*(gap for gap in lead if gap.end > gap.start), *gaps), tuple(problems[:MAX_PROBLEMS]),
    )  # fmt: skip


def _version(cursor: Cursor) -> int:
    version = cursor.integer("I")
    if version & 0xFFFF == 0 and version:
        cursor.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version == 0:
        raise SubjectError("it is of version 0, which does not exist")
    if version > NEWEST:
        raise UnknownVersionError(f"GGUF version {version:,} is not judged by this version")
    cursor.wide = version > 1
    return version


def _alignment(metadata: tuple[Entry, ...], problems: list[str]) -> int:
    found = [entry for entry in metadata if entry.key == "general.alignment"]
    if not found:
        return DEFAULT_ALIGNMENT
    value = found[0].value
    if found[0].kind != UINT32 or not isinstance(value, int):
        problems.append("`general.alignment` is no 32-bit number")
        return DEFAULT_ALIGNMENT
    if value <= 0 or value & (value - 1) or value > MAX_ALIGNMENT:
        problems.append(f"`general.alignment` is {value:,}, not a power of two up to {MAX_ALIGNMENT:,}")
        return DEFAULT_ALIGNMENT
    return value
