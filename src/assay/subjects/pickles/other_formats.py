"""What a file is that is no PyTorch checkpoint, told by its first bytes, and what to do with it."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from itertools import islice

from assay.core.errors import SubjectError
from assay.subjects.archives.tar_header import BLOCK, is_header
from assay.subjects.archives.tar_members import TarReader

_NONE = "not a PyTorch checkpoint"
_NUMPY = "Load it with `numpy.load(path, allow_pickle=False)` and write safetensors with `safetensors.numpy`."
_UNPACK = "Run `assay scan` on it; where that is clean, unpack it and convert what is inside."
_SCAN = "Run `assay scan` on it."
_EXPLAIN = (
    "Run `assay explain` on it. An estimator is more than tensors: ask for it in skops or ONNX; "
    "NumPy arrays: in .npz, written without objects."
)
_OLD = "Run `assay explain` on it. Where that is clean, load it with a current torch and save a state dict."
_OLD_MEMBERS = {"sys_info", "pickle", "storages", "tensors"}
_HEADS = (
    (b"\x93NUMPY", "is a NumPy array", _NUMPY),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file", "Load it with Keras or h5py and write safetensors from there."),
    (b"GGUF", "is a GGUF file, whose tensors may be packed in blocks", "Keep it: it holds nothing pickled."),
    (b"\x1f\x8b", "is packed with gzip", _UNPACK),
    (b"BZh", "is packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\x00", "is packed with xz", _UNPACK),
    (b"x\x9c", "is packed with zlib, as joblib does it", _UNPACK),
    (b"(\xb5/\xfd", "is packed with zstd", _UNPACK),
)


def refusal(data: mmap.mmap, members: Sequence[str] = ()) -> SubjectError:
    """The error for a file that is none; `members` where it is a zip."""
    cause, remedy = _of_zip(members) if members else _of_head(data)
    return SubjectError(cause, remedy=remedy)


def _of_zip(members: Sequence[str]) -> tuple[str, str]:
    if all(name.endswith(".npy") for name in members):
        return f"is an archive of NumPy arrays (.npz), {_NONE}", _NUMPY
    return f"is a zip without a data.pkl, {_NONE}", _SCAN


def _of_tar(data: mmap.mmap) -> tuple[str, str]:
    try:
        names = {member.name for member in islice(TarReader(data, 0, len(data)), 100)}
    except SubjectError:
        names = set()
    if names >= _OLD_MEMBERS:
        return "is a tar as PyTorch before 0.2 wrote them, which is not read here", _OLD
    return f"is a tar, {_NONE}", _UNPACK


def _of_head(data: mmap.mmap) -> tuple[str, str]:
    head = data[:16]
    for start, cause, remedy in _HEADS:
        if head.startswith(start):
            return f"{cause}, {_NONE}", remedy
    if is_header(data[:BLOCK]):
        return _of_tar(data)
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:  # noqa: PLR2004  PROTO
        return f"is a pickle of something else, {_NONE}", _EXPLAIN
    return f"is of a format that is not known here, {_NONE}", _SCAN
