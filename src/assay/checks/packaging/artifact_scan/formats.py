"""What bytes are, told by the bytes; `names` has the names that they may carry.

Texts are told apart by `texts.recognise`, pickles by the machine that reads them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.subjects import programs
from assay.subjects.archives.tar_header import is_header
from assay.subjects.archives.zip_end import is_zip
from assay.subjects.graphs import recognition
from assay.subjects.hdf5.superblock import find_signature
from assay.subjects.media import recognition as media
from assay.subjects.rdata_input import is_rdata
from assay.subjects.torch7 import is_torch7
from assay.subjects.xgboost_binary import is_xgboost_binary

NOT_JUDGED = "is not judged by this version"
CUT_OFF = "the file is cut off or damaged"
_MAGIC = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"), (b"GGUF", "gguf"), (b"lmgg", "ggml"), (b"fmgg", "ggml"),
    (b"tjgg", "ggml"), (b"algg", "ggml"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "rar"), (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"), (b"\x5d\0", "lzma"), (b"\x1f\x9d", "compress"), (b"070701", "cpio"),
    (b"070702", "cpio"), (b"070707", "cpio"), (b"\xc7\x71", "cpio"), (b"!<arch>\n", "ar"),
    (b"MSCF\0\0\0\0", "cab"), (b"LZIP\x01", "lzip"), (b"\x89LZO\0\r\n\x1a\n", "lzop"), (b"\x60\xea", "arj"),
    (b"\x02\x21\x4c\x18", "lz4 legacy"), (b"xar!", "xar"), (b"7kSt", "zpaq"),
    (b"CBM1", "catboost"), (b"binf", "xgboost binary"),
)  # fmt: skip
_BY_FIRST = {
    first: [(magic, name) for magic, name in _MAGIC if magic[:1] == first]
    for first in {magic[:1] for magic, _ in _MAGIC}
}
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of user data, before a zstd or lz4 frame
_OBJECTS = (b"{L\0\0\0\0\0\0\0", b"{l\0\0\0", b"{I\0")
_ISO = 32_769  # where an ISO 9660 volume descriptor says what it is
# What has such a name, and is nothing else, is read as that.
_BY_NAME = {"safetensors": "safetensors", "msgpack": "msgpack", "t7": "torch7", "th7": "torch7"}
COMPRESSED = {"gzip", "bzip2", "xz", "zlib", "lzma", "zstd", "lz4"}
# What zip readers find at the end of these is examined with all the rest of it.
HOLDERS = frozenset({"zip", "tar", "7z", "pickle", *recognition.FORMATS})
# A version follows their letters, which as a word may begin any text.
_VERSIONED = {"gguf", "ggml"}


def recognise(blob: Blob) -> str:
    """A format's name; "unknown" where the bytes tell nothing but may still be a pickle."""
    head = blob.head(512)
    for magic, name in _BY_FIRST.get(head[:1], ()):
        if head.startswith(magic) and not (name in _VERSIONED and _is_word(head[4:8])):
            return name
    if program := programs.recognise(programs.Region(blob.data, blob.start, blob.end)):
        return program
    # Graphs before zip: TFLite models carry one at their end. Their inspectors look for it.
    found = (
        media.recognise(blob.data, blob.start, blob.end)
        or _first(_STRUCTURES, blob, head)
        or recognition.recognise(blob.data, blob.start, blob.end)
        or _first(_AT_THE_END, blob, head)
    )
    if found:
        return found
    if _SKIPPABLE.match(head):
        return _after_skippable(blob)
    if (
        len(head) > 8  # noqa: PLR2004  the prefix is eight bytes
        and head[8:9] == b"{"
        and int.from_bytes(head[:8], "little") <= max(blob.size, 100_000_000)
    ):
        return "safetensors"
    suffix = blob.name.lower().rpartition(".")[2]
    return _BY_NAME.get(suffix, "unknown")


def _first(structures: _Structures, blob: Blob, head: bytes) -> str:
    return next((name for name, recognises in structures if recognises(blob, head)), "")


def _is_tar(_: Blob, head: bytes) -> bool:
    return head[257:262] == b"ustar" or is_header(head)


def _is_ubjson(_: Blob, head: bytes) -> bool:
    """Whether bytes start as an object whose keys have long lengths, which no text does."""
    return head.startswith(_OBJECTS) and head[10:11] != b"\0"


def _is_iso(blob: Blob, _: bytes) -> bool:
    return blob.data[blob.start + _ISO : min(blob.start + _ISO + 5, blob.end)] == b"CD001"


def _is_zip(blob: Blob, _: bytes) -> bool:
    return is_zip(blob.data, blob.start, blob.end)


def _is_hdf5(blob: Blob, _: bytes) -> bool:
    return find_signature(blob.data, blob.start, blob.end) >= 0


def _after_skippable(blob: Blob) -> str:
    """Whether zstd or lz4 data follow frames of user data."""
    at = blob.start
    for _ in range(64):
        if not _SKIPPABLE.match(blob.data[at : at + 4]):
            break
        at += 8 + int.from_bytes(blob.data[at + 4 : at + 8], "little")
    return "lz4" if blob.data[at : min(at + 4, blob.end)] == b"\x04\x22\x4d\x18" else "zstd"


def _is_word(following: bytes) -> bool:
    """Whether what follows a magic number of letters goes on as text does."""
    text = following.decode("latin-1")
    return bool(text) and text.isascii() and all(one.isprintable() or one.isspace() for one in text)


def _is_zlib(_: Blob, head: bytes) -> bool:
    # A stream with a preset dictionary cannot be unpacked here; a text that starts "x " looks like one.
    if head[:1] != b"x" or len(head) < 6 or head[1] & 0x20:  # noqa: PLR2004  header and checksum (RFC 1950)
        return False
    try:
        zlib.decompressobj().decompress(head, 1)
    except zlib.error:
        return False
    return True


def cut_off(blob: Blob) -> str:
    """What the beginning of an unrecognised region says it was to be, or "": most such files are cut off."""
    head = blob.head(4)
    if head[:1] == b"\x80" and head[1:2] and head[1] <= 5:  # noqa: PLR2004  the newest pickle protocol
        return "a pickle that ends before its STOP"
    return "a zip whose directory is missing" if head == b"PK\x03\x04" else ""


_Structures: TypeAlias = "tuple[tuple[str, Callable[[Blob, bytes], bool]], ...]"
_STRUCTURES: _Structures = (
    ("zlib", _is_zlib),
    ("rdata", lambda _, head: is_rdata(head)),
    ("ubjson", _is_ubjson),
    ("xgboost binary", lambda blob, _: is_xgboost_binary(blob.data, blob.start, blob.end)),
    ("tar", _is_tar),
    ("torch7", lambda blob, _: is_torch7(blob.data, blob.start, blob.end)),
    ("iso", _is_iso),
)
_AT_THE_END: _Structures = (
    ("msgpack", lambda blob, _: media.is_msgpack(blob.data, blob.start, blob.end)),
    ("zip", _is_zip),
    ("hdf5", _is_hdf5),  # behind a user block
)
