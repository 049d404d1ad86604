"""The tensors of a PyTorch zip checkpoint, listed without unpickling: symbols are built, nothing runs."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember, read_directory
from assay.subjects.archives.zip_end import find_end
from assay.subjects.pickles.child.recorder import Recorder
from assay.subjects.pickles.child.symbols import Call, Global, Items, Persistent
from assay.subjects.pickles.child.walk import WalkLimitError, WalkRecorder
from assay.subjects.pickles.child.walker import Walker

MAX_PICKLE = 256 << 20
MAX_NESTING = 16
KEEP = 10_000_000
DTYPES = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
    "ComplexFloatStorage": ("C64", 8),
}  # fmt: skip
_NATIVE = {
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "uint16": ("U16", 2),
    "uint32": ("U32", 4),
    "uint64": ("U64", 8), "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2),
    "float64": ("F64", 8), "int64": ("I64", 8), "int32": ("I32", 4), "int16": ("I16", 2), "int8": ("I8", 1),
    "uint8": ("U8", 1), "bool": ("BOOL", 1),
}  # fmt: skip
_HARMLESS = {("collections", "OrderedDict"), ("torch", "Size"), ("torch.serialization", "_get_layout")}
_BUILDERS = {"_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_tensor"}


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """One tensor of a checkpoint.

    Attributes:
        name: path in the nested state dict, joined by dots.
        dtype: as safetensors names it.
        shape, stride: in elements.
        file_offset: absolute byte of the first element in the file.
        storage_member: the zip member that holds it.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    file_offset: int
    storage_member: str


def read_torch_checkpoint(path: Path) -> tuple[TorchTensor, ...]:
    """List the tensors of the checkpoint at `path`.

    Raises:
        SubjectError: it is no such checkpoint, or its pickle holds anything but plain tensors.
        LimitError: its pickle is larger than 256 MB.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise SubjectError("the file is empty", subject=str(path))  # noqa: TRY301
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read(data)
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=str(path)) from error
    except SubjectError as error:
        if error.subject:
            raise
        raise type(error)(error.cause, subject=str(path), remedy=error.remedy) from error


def _read(data: mmap.mmap) -> tuple[TorchTensor, ...]:
    if find_end(data, 0, len(data)) < 0:
        raise SubjectError("is not a PyTorch zip checkpoint", remedy="Save it again with a current torch.")
    directory = read_directory(data, 0, len(data))
    if directory.problems:
        raise SubjectError(directory.problems[0], remedy="Do not load it; get it from its source again.")
    pickle = _member(directory, "data.pkl")
    if pickle.packed > MAX_PICKLE:
        raise LimitError("its pickle is larger than 256 MB")
    raw = bytes(data[pickle.start : pickle.start + pickle.packed])
    root = _walk(raw)
    prefix = pickle.name[: -len("data.pkl")]
    members = {member.name: member for member in directory.members}
    order = members.get(prefix + "byteorder")
    if order and data[order.start : order.start + order.packed] != b"little":
        raise SubjectError("its numbers are not little-endian")
    return tuple(_tensors(root, "", 0, prefix, members))


def _member(directory: ZipDirectory, name: str) -> ZipMember:
    found = [m for m in directory.members if m.name == name or m.name.endswith("/" + name)]
    if len(found) != 1 or found[0].method != STORED or found[0].encrypted:
        raise SubjectError(f"does not hold one plain {name}; it is not a PyTorch zip checkpoint")
    return found[0]


class _Met(Recorder):
    """Keeps what the walk met, to refuse what is not a tensor."""

    def look_inside(self, value: bytes | bytearray | memoryview) -> None:
        """A pickle inside bytes has no place here."""
        self.tell("nested", str(len(value)))


def _walk(raw: bytes) -> object:
    met = _Met(None)
    view = memoryview(raw)
    try:
        walk = Walker(view, raw.find, WalkRecorder(met), keep=KEEP).run(0, len(raw))
    except (WalkLimitError, RecursionError) as error:
        raise LimitError("its pickle is larger or deeper than we follow") from error
    if not walk.stopped or walk.problem or walk.end != len(raw):
        raise SubjectError(f"its pickle is damaged: {walk.problem or 'bytes follow its end'}")
    for kind, what in met.seen:
        parts = what.split("\0")
        if kind == "global" and not _plain(parts[0], parts[1]):
            raise _foreign(f"{parts[0]}.{parts[1]}")
        if kind not in {"global", "call"}:
            raise _foreign(kind)
    return walk.result


def _plain(module: str, name: str) -> bool:
    if (module, name) in _HARMLESS or (module == "torch._utils" and name in _BUILDERS):
        return True
    return module in {"torch", "torch.storage"} and (
        name in DTYPES or name in _NATIVE or name == "UntypedStorage"
    )


def _foreign(what: str) -> SubjectError:
    return SubjectError(
        f"its pickle holds {what[:200]}, which is not a plain tensor",
        remedy="Run `assay scan` on it; use a state dict or safetensors.",
    )


def _tensors(
    value: object, name: str, depth: int, prefix: str, members: dict[str, ZipMember]
) -> Iterator[TorchTensor]:
    if depth > MAX_NESTING:
        raise LimitError("its state dict is nested too deeply")
    function = value.function if isinstance(value, Call) else None
    if isinstance(value, Call) and isinstance(function, Global) and function.name in _BUILDERS:
        yield _tensor(value, name, prefix, members)
        return
    for key, item in _pairs(value):
        yield from _tensors(item, f"{name}.{key}" if name else str(key), depth + 1, prefix, members)


def _pairs(value: object) -> Iterator[tuple[object, object]]:
    if isinstance(value, Call) or (isinstance(value, Items) and value.kind == "dict"):
        yield from zip(value.items[::2], value.items[1::2], strict=False)
    elif isinstance(value, Items):
        yield from enumerate(value.items)
    elif isinstance(value, tuple):
        yield from enumerate(value)


def _tensor(call: Call, name: str, prefix: str, members: dict[str, ZipMember]) -> TorchTensor:
    function = call.function
    if isinstance(function, Global) and function.name == "_rebuild_parameter":
        inner = call.args[0] if call.args else None
        if isinstance(inner, Call):
            return _tensor(inner, name, prefix, members)
        raise _foreign(f"a parameter without a tensor ({name})")
    try:
        storage, offset, shape, stride = call.args[:4]
        dtype, width, key, count = _storage(storage, call.args)
        sizes = _integers(shape)
        steps = _integers(stride)
        member = members[f"{prefix}data/{key}"]
        last = sum((n - 1) * s for n, s in zip(sizes, steps, strict=True)) if 0 not in sizes else -1
    except (KeyError, TypeError, ValueError) as error:
        raise SubjectError(f"tensor {name[:100]!r} cannot be placed in the file") from error
    if not isinstance(offset, int) or offset < 0 or offset + last >= count or count * width > member.packed:
        raise SubjectError(f"tensor {name[:100]!r} reaches past its storage")
    if member.method != STORED or member.encrypted:
        raise SubjectError(f"storage {member.name[:100]!r} is packed or encrypted")
    return TorchTensor(name, dtype, sizes, steps, member.start + offset * width, member.name)


def _storage(value: object, args: tuple[object, ...]) -> tuple[str, int, str, int]:
    pid = value.pid if isinstance(value, Persistent) else None
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":  # noqa: PLR2004
        raise TypeError("no storage")
    kind, key, count = pid[1], pid[2], pid[4]
    if not isinstance(kind, Global) or not isinstance(key, str) or not isinstance(count, int) or count < 0:
        raise TypeError("no storage")
    if kind.name == "UntypedStorage":  # _rebuild_tensor_v3 names the dtype on its own, and counts bytes
        named = args[6]
        dtype, width = _NATIVE[named.name] if isinstance(named, Global) else ("", 0)
        return dtype, width, key, count // max(width, 1)
    dtype, width = DTYPES[kind.name]
    return dtype, width, key, count


def _integers(value: object) -> tuple[int, ...]:
    if isinstance(value, Call):  # torch.Size((…,))
        value = value.args[0]
    if not isinstance(value, tuple) or not all(type(n) is int and n >= 0 for n in value):
        raise TypeError("no shape")
    return tuple(n for n in value if isinstance(n, int))
