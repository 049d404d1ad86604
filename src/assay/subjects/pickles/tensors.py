"""The tensors of a PyTorch checkpoint, listed without unpickling: symbols are built, nothing runs.

Two layouts are read: the zip that torch.save writes since PyTorch 1.6, and the one before it, five pickles
and the storages one after the other (torch/serialization.py `_legacy_save`).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember, read_directory
from assay.subjects.archives.zip_end import find_end
from assay.subjects.pickles.child.raw import legacy_storages
from assay.subjects.pickles.child.recorder import Recorder
from assay.subjects.pickles.child.streams import LEGACY_STREAMS, LEGACY_TORCH
from assay.subjects.pickles.child.symbols import Call, Global, Items
from assay.subjects.pickles.child.walk import Walk, WalkLimitError, WalkRecorder
from assay.subjects.pickles.child.walker import Walker
from assay.subjects.pickles.child.wire import storage_width
from assay.subjects.pickles.torch_objects import (
    BUILDERS,
    Place,
    Storage,
    TensorSearch,
    TorchTensor,
    is_plain,
    pairs,
    refused,
)

MAX_PICKLE = 256 << 20
KEEP = 10_000_000


@dataclass(frozen=True, slots=True)
class TorchCheckpoint:
    """What a checkpoint holds.

    Attributes:
        tensors: in the order of its state dict.
        left_out: full names of what its pickle imports besides, none of which was imported or called.
    """

    tensors: tuple[TorchTensor, ...]
    left_out: tuple[str, ...] = ()


def read_torch_checkpoint(path: Path, *, tensors_only: bool = False) -> TorchCheckpoint:
    """List the tensors of the checkpoint at `path`.

    Args:
        path: the file.
        tensors_only: whether to leave out what is no tensor, instead of refusing the file for it. Tensors
            that lie in objects of other classes are found by the attributes of these.

    Raises:
        SubjectError: it is no such checkpoint, its pickle holds anything but plain tensors, or not all of its
            tensors can be told.
        LimitError: its pickle is larger than 256 MB.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise SubjectError("the file is empty", subject=str(path))  # noqa: TRY301
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Left to the garbage collector: an error may still hold views of it.
        return _read(data, tensors_only=tensors_only)
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=str(path)) from error
    except SubjectError as error:
        if error.subject:
            raise
        raise type(error)(error.cause, subject=str(path), remedy=error.remedy) from error


def _read(data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    if find_end(data, 0, len(data)) >= 0:
        return _zip(data, tensors_only=tensors_only)
    if _is_legacy(data):
        return _legacy(data, tensors_only=tensors_only)
    if data[257:262] == b"ustar":
        raise SubjectError(
            "is a tar, as PyTorch before 0.2 wrote them, which is not read",
            remedy="Run `assay explain` on it. Where that is clean, save it again with a current torch.",
        )
    raise SubjectError(
        "is not a PyTorch checkpoint",
        remedy="Run `assay explain` on it. An estimator is more than tensors: ask for it in skops or ONNX.",
    )


def _zip(data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    directory = read_directory(data, 0, len(data))
    if directory.problems:
        raise SubjectError(directory.problems[0], remedy="Do not load it; get it from its source again.")
    pickle = _member(directory, "data.pkl")
    if pickle.packed > MAX_PICKLE:
        raise LimitError("its pickle is larger than 256 MB")
    prefix = pickle.name[: -len("data.pkl")]
    members = {member.name: member for member in directory.members}
    order = members.get(prefix + "byteorder")
    if order and data[order.start : order.start + order.packed] != b"little":
        raise SubjectError("its numbers are not little-endian")
    met = _Met(tensors_only)
    end = pickle.start + pickle.packed
    walk = met.walk(memoryview(data), data, pickle.start, end)
    if walk.end != end:
        raise SubjectError("its pickle is damaged: bytes follow its end")

    def place(key: str) -> Storage:
        member = members[f"{prefix}data/{key}"]
        if member.method != STORED or member.encrypted:
            raise SubjectError(f"storage {member.name[:100]!r} is packed or encrypted")
        return Storage(member.start, member.packed, member.name)

    return met.checkpoint(walk.result, place)


def _member(directory: ZipDirectory, name: str) -> ZipMember:
    found = [m for m in directory.members if m.name == name or m.name.endswith("/" + name)]
    if len(found) != 1 or found[0].method != STORED or found[0].encrypted:
        raise SubjectError(f"does not hold one plain {name}; it is not a PyTorch zip checkpoint")
    return found[0]


def _is_legacy(data: mmap.mmap) -> bool:
    """Whether it begins with the pickle of the magic number (protocol 2, LONG1)."""
    return LEGACY_TORCH.to_bytes(10, "little") in data[:24]


def _legacy(data: mmap.mmap, *, tensors_only: bool) -> TorchCheckpoint:
    met, view, at = _Met(tensors_only), memoryview(data), 0
    results: list[object] = []
    for _ in range(LEGACY_STREAMS):
        walk = met.walk(view, data, at, min(len(data), at + MAX_PICKLE))
        results.append(walk.result)
        at = walk.end
    magic, _, system, root, listed = results
    if magic != LEGACY_TORCH or ("little_endian", True) not in list(pairs(system)):
        raise SubjectError("is not a little-endian PyTorch checkpoint")
    keys = listed.items if isinstance(listed, Items) else None
    end, problem = legacy_storages(data, at, len(data), keys, met.storages)
    if problem or end != len(data):
        raise SubjectError(f"its storages do not add up: {problem or 'bytes follow the last one'}")
    places: dict[str, Storage] = {}
    for key in map(str, keys or ()):
        kind, count = met.storages[key]
        places[key] = Storage(at + 8, count * storage_width(kind), key)
        at += 8 + places[key].size
    return met.checkpoint(root, places.__getitem__)


class _Met(Recorder):
    """Walks pickles, and keeps what they met, to refuse or leave out what is not a tensor."""

    def __init__(self, tensors_only: bool) -> None:  # noqa: FBT001
        super().__init__(None)
        self._tensors_only = tensors_only
        self._walked = _Counted(self)

    def look_inside(self, value: bytes | bytearray | memoryview) -> None:
        """A pickle inside bytes has no place here."""
        self.tell("nested", str(len(value)))

    def walk(self, view: memoryview, data: mmap.mmap, start: int, end: int) -> Walk:
        """Walk one stream to its STOP.

        Raises:
            SubjectError: it is damaged.
            LimitError: it is too large.
        """
        try:
            walk = Walker(view, data.find, self._walked, keep=KEEP).run(start, end)
        except (WalkLimitError, RecursionError) as error:
            raise LimitError("its pickle is larger or deeper than we follow") from error
        if not walk.stopped or walk.problem:
            raise SubjectError(f"its pickle is damaged: {walk.problem or 'it has no end'}")
        return walk

    def checkpoint(self, root: object, place: Place) -> TorchCheckpoint:
        """The tensors below `root`.

        Raises:
            SubjectError: there is something else, or there are tensors elsewhere.
        """
        left_out = tuple(dict.fromkeys(self._foreign()))
        if left_out and not self._tensors_only:
            raise refused(left_out[0])
        found = TensorSearch(place)
        tensors = tuple(found.below(root, "", 0))
        lost = len(self._walked.made_tensors) - len(found.met)
        if left_out and lost > 0:
            total = len(self._walked.made_tensors)
            raise SubjectError(
                f"{lost:,} of its {total:,} tensors lie in objects that are not followed, such as "
                f"{left_out[0][:200]}",
                remedy="Ask for a state dict or safetensors.",
            )
        return TorchCheckpoint(tensors, left_out)

    def _foreign(self) -> Iterator[str]:
        for kind, what in self.seen:
            parts = what.split("\0")
            if kind == "global" and not is_plain(parts[0], parts[1]):
                yield f"{parts[0]}.{parts[1]}"
            elif kind not in {"global", "call"}:
                yield kind


class _Counted(WalkRecorder):
    """Keeps every call that builds a tensor."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.made_tensors: list[Call] = []

    def called(
        self, made: Call, function: Global, args: tuple[object, ...], *, keywords: bool = False
    ) -> None:
        """A global was called."""
        super().called(made, function, args, keywords=keywords)
        if function.module == "torch._utils" and function.name in BUILDERS - {"_rebuild_parameter"}:
            self.made_tensors.append(made)
