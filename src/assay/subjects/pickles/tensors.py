"""The tensors of a PyTorch checkpoint, listed without unpickling it.

Two layouts are read: the zip that torch.save writes since PyTorch 1.6, and the one before it, five pickles
and the storages one after the other (torch/serialization.py `_legacy_save`). Containers are read here, what
is pickled by a confined child (`plan`), and every place that it names is held against the file.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember, read_directory
from assay.subjects.archives.zip_end import find_end
from assay.subjects.pickles.child.raw import legacy_storages
from assay.subjects.pickles.child.streams import LEGACY_TORCH
from assay.subjects.pickles.child.wire import storage_width
from assay.subjects.pickles.other_formats import refusal
from assay.subjects.pickles.plan import PlannedTensor, TensorPlan, Value, read_plan
from assay.subjects.safetensors_header import BITS

MAX_PICKLE = 256 << 20


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """One tensor of a checkpoint.

    Attributes:
        name: path in the nested state dict, joined by dots.
        dtype: as safetensors names it.
        shape, stride: in elements.
        file_offset: absolute byte of the first element in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    file_offset: int


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes of a storage: the first one's place in the file, and how many."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class TorchCheckpoint:
    """What a checkpoint holds.

    Attributes:
        tensors: in the order of its state dict.
        values: plain values beside them, by name.
        others: what else there is: name, and what it is.
        unnamed: how many others there are besides.
        foreign: full names of what its pickle imports that no tensor is made of; none was imported.
    """

    tensors: tuple[TorchTensor, ...]
    values: Mapping[str, Value] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()
    unnamed: int = 0
    foreign: tuple[str, ...] = ()


Place = Callable[[str], Storage]


def read_torch_checkpoint(fd: int, path: str, *, tensors_only: bool = False) -> TorchCheckpoint:
    """List the tensors of a checkpoint.

    Args:
        fd: the open file.
        path: how errors name it.
        tensors_only: whether to leave out what no tensor is made of, instead of refusing the file for it.
            Tensors that lie in objects of other classes are found by the attributes of these.

    Raises:
        SubjectError: it is no such checkpoint, its pickle holds anything but tensors and plain values, or not
            all of its tensors can be told.
        LimitError: its pickle is larger than 256 MB, or deeper or longer to walk than we follow.
    """
    try:
        if os.fstat(fd).st_size == 0:
            raise SubjectError("the file is empty", subject=path)  # noqa: TRY301
        data = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        # Left to the garbage collector: an error may still hold views of it.
        return _read(fd, data, tensors_only=tensors_only)
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=path) from error
    except SubjectError as error:
        if error.subject:
            raise
        raise type(error)(error.cause, subject=path, remedy=error.remedy) from error


def _read(fd: int, data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    if find_end(data, 0, len(data)) >= 0:
        return _zip(fd, data, tensors_only=tensors_only)
    if _is_legacy(data):
        return _legacy(fd, data, tensors_only=tensors_only)
    raise refusal(data)


def _zip(fd: int, data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    directory = read_directory(data, 0, len(data))
    if directory.problems:
        raise SubjectError(directory.problems[0], remedy="Do not load it; get it from its source again.")
    pickle = _pickle(data, directory)
    prefix = pickle.name[: -len("data.pkl")]
    members = {member.name: member for member in directory.members}
    order = members.get(prefix + "byteorder")
    if order and data[order.start : order.start + order.packed] != b"little":
        raise SubjectError("its numbers are not little-endian", remedy="Save it again on such a machine.")
    plan = read_plan(fd, pickle.start, pickle.packed, legacy=False, tensors_only=tensors_only)
    if plan.end != pickle.start + pickle.packed:
        raise SubjectError("its pickle is damaged: bytes follow its end")

    def place(key: str) -> Storage:
        member = members[f"{prefix}data/{key}"]
        if member.method != STORED or member.encrypted:
            raise SubjectError(f"storage {member.name[:100]!r} is packed or encrypted")
        return Storage(member.start, member.packed)

    return _checkpoint(plan, place, len(data))


def _pickle(data: mmap.mmap, directory: ZipDirectory) -> ZipMember:
    found = [m for m in directory.members if m.name == "data.pkl" or m.name.endswith("/data.pkl")]
    if not found:
        raise refusal(data, [member.name for member in directory.members])
    plain = len(found) == 1 and found[0].method == STORED and not found[0].encrypted
    if not plain or found[0].start + found[0].packed > len(data):
        raise SubjectError(
            "does not hold one plain data.pkl, as torch.save writes it",
            remedy="Run `assay scan` on it, or get it from its source again.",
        )
    if found[0].packed > MAX_PICKLE:
        raise LimitError("its pickle is larger than 256 MB", remedy="Ask for a state dict or safetensors.")
    return found[0]


def _is_legacy(data: mmap.mmap) -> bool:
    """Whether it begins with the pickle of the magic number (protocol 2, LONG1)."""
    return LEGACY_TORCH.to_bytes(10, "little") in data[:24]


def _legacy(fd: int, data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    plan = read_plan(fd, 0, len(data), legacy=True, tensors_only=tensors_only)
    end, problem = legacy_storages(data, plan.end, len(data), list(plan.storages), plan.storages)
    if problem or end != len(data):
        raise SubjectError(
            f"its storages do not add up: {problem or 'bytes follow the last one'}",
            remedy="Do not load it; get it from its source again.",
        )
    at, places = plan.end, {}
    for key, (kind, count) in plan.storages.items():
        places[key] = Storage(at + 8, count * storage_width(kind))
        at += 8 + places[key].size
    return _checkpoint(plan, places.__getitem__, len(data))


def _checkpoint(plan: TensorPlan, place: Place, size: int) -> TorchCheckpoint:
    tensors = tuple(_placed(tensor, place, size) for tensor in plan.tensors.values())
    return TorchCheckpoint(
        tensors, plan.values, tuple(plan.others), plan.unnamed, tuple(dict.fromkeys(plan.foreign))
    )


def _placed(tensor: PlannedTensor, place: Place, size: int) -> TorchTensor:
    """A planned tensor's place, once every element of it lies in its storage, and that in the file."""
    width = BITS.get(tensor.dtype, 0) // 8
    try:
        held = place(tensor.key)
    except KeyError:
        width = 0
    if not width:
        raise SubjectError(
            f"tensor {tensor.name[:100]!r} cannot be placed in the file",
            remedy="Do not load it; get it from its source again.",
        )
    last = sum((count - 1) * step for count, step in zip(tensor.shape, tensor.stride, strict=True))
    start, end = tensor.offset * width, (tensor.offset + last + 1) * width
    if 0 in tensor.shape:  # torch lets what is empty begin anywhere
        start = end = 0
    inside = end <= tensor.size <= held.size and 0 <= held.start <= size - held.size
    if not inside:
        raise SubjectError(
            f"tensor {tensor.name[:100]!r} reaches past its storage",
            remedy="Do not load it; get it from its source again.",
        )
    return TorchTensor(tensor.name, tensor.dtype, tensor.shape, tensor.stride, held.start + start)
