"""What bytes are, told by the bytes; and which names they may carry.

Texts are told apart by `texts.recognise`, pickles by the machine that reads them.
"""

from __future__ import annotations

import zlib

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.subjects.archives.zip_directory import find_end

_MAGIC = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"), (b"GGUF", "gguf"), (b"\x7fELF", "native library"), (b"MZ",
    "native library"),
    (b"\xcf\xfa\xed\xfe", "native library"), (b"\xca\xfe\xba\xbe", "native library"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "rar"), (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"), (b"\x5d\0", "lzma"),
)  # fmt: skip
COMPRESSED = {"gzip", "bzip2", "xz", "zlib", "lzma"}
_PICKLES = {"pickle", "pytorch-zip", "zip", "tar"} | COMPRESSED
_EXPECTED = {
    ".safetensors": {"safetensors"}, ".npy": {"npy"}, ".npz": {"zip"}, ".json": {"json"},
    ".zip": {"zip", "pytorch-zip"},
    ".gz": {"gzip"}, ".tgz": {"gzip"}, ".bz2": {"bzip2"}, ".xz": {"xz"}, ".tar": {"tar"}, ".md": {"text"},
    ".txt": {"text", "json"}, ".jinja": {"text"}, ".pkl": _PICKLES, ".pickle": _PICKLES, ".joblib": _PICKLES,
    ".pt": _PICKLES, ".pth": _PICKLES, ".ckpt": _PICKLES, ".yaml": {"text"}, ".yml": {"text"},
    ".csv": {"text"},
}  # fmt: skip


def recognise(blob: Blob) -> str:
    """A format's name; "unknown" where the bytes tell nothing but may still be a pickle."""
    head = blob.head(512)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:1] == b"x" and _is_zlib(head):
        return "zlib"
    if head[257:262] == b"ustar":
        return "tar"
    if find_end(blob.data, blob.start, blob.end) >= 0:
        return "zip"
    if (
        len(head) > 8  # noqa: PLR2004  the prefix is eight bytes
        and head[8:9] == b"{"
        and int.from_bytes(head[:8], "little") <= max(blob.size, 100_000_000)
    ):
        return "safetensors"
    if blob.name.lower().endswith(".safetensors"):
        return "safetensors"
    return "unknown"


def _is_zlib(head: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(head, 1)
    except zlib.error:
        return False
    return True


def lies(blob: Blob, found: str) -> str:
    """What the name promises, where that is not what was found."""
    name = blob.name.lower()
    for suffix, formats in _EXPECTED.items():
        if name.endswith(suffix):
            return "" if found in formats or found == "unknown" else " or ".join(sorted(formats))
    return ""
