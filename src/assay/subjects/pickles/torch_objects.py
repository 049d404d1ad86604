"""Tensors among the symbols that a walk over a checkpoint's pickle gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assay.core.errors import LimitError, SubjectError
from assay.subjects.pickles.child.symbols import Call, Global, Items, Persistent

MAX_NESTING = 16
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
# What torch.nn.Module keeps its parts in; names of a state dict go without.
_OF_MODULES = {"_parameters", "_buffers", "_modules"}
BUILDERS = {"_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_tensor"}


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """One tensor of a checkpoint.

    Attributes:
        name: path in the nested state dict, joined by dots.
        dtype: as safetensors names it.
        shape, stride: in elements.
        file_offset: absolute byte of the first element in the file.
        storage_member: the zip member, or the key of the storage, that holds it.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    file_offset: int
    storage_member: str


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes of a storage: the first one's place in the file, how many, and what holds them."""

    start: int
    size: int
    name: str


Place = Callable[[str], Storage]


def is_plain(module: str, name: str) -> bool:
    """Whether a global is one that plain tensors are made of."""
    if (module, name) in _HARMLESS or (module == "torch._utils" and name in BUILDERS):
        return True
    return module in {"torch", "torch.storage"} and (
        name in DTYPES or name in _NATIVE or name == "UntypedStorage"
    )


def refused(what: str) -> SubjectError:
    """The error for what is no plain tensor."""
    return SubjectError(
        f"its pickle holds {what[:200]}, which is not a plain tensor",
        remedy="Run `assay scan` on it; `assay convert --tensors-only` writes its tensors and nothing else.",
    )


@dataclass(slots=True)
class TensorSearch:
    """Looks for tensors in what a walk gave; `met` has the calls that build them, by identity."""

    place: Place
    met: set[int] = field(default_factory=set)

    def below(self, value: object, name: str, depth: int) -> Iterator[TorchTensor]:
        """The tensors in a value."""
        if depth > MAX_NESTING:
            raise LimitError("its state dict is nested too deeply")
        function = value.function if isinstance(value, Call) else None
        if isinstance(value, Call) and isinstance(function, Global) and function.name in BUILDERS:
            yield self._tensor(value, name)
            return
        for key, item in pairs(value):
            inside = name if key in _OF_MODULES else f"{name}.{key}" if name else str(key)
            yield from self.below(item, inside, depth + 1)

    def _tensor(self, call: Call, name: str) -> TorchTensor:
        function = call.function
        if isinstance(function, Global) and function.name == "_rebuild_parameter":
            inner = call.args[0] if call.args else None
            if isinstance(inner, Call):
                return self._tensor(inner, name)
            raise refused(f"a parameter without a tensor ({name})")
        self.met.add(id(call))
        try:
            storage, offset, shape, stride = call.args[:4]
            dtype, width, key, count = _storage(storage, call.args)
            sizes = _integers(shape)
            steps = _integers(stride)
            held = self.place(key)
            last = sum((n - 1) * s for n, s in zip(sizes, steps, strict=True)) if 0 not in sizes else -1
        except (KeyError, TypeError, ValueError) as error:
            raise SubjectError(f"tensor {name[:100]!r} cannot be placed in the file") from error
        beyond = not isinstance(offset, int) or offset < 0 or offset + last >= count
        if beyond or count * width > held.size or not isinstance(offset, int):
            raise SubjectError(f"tensor {name[:100]!r} reaches past its storage")
        return TorchTensor(name, dtype, sizes, steps, held.start + offset * width, held.name)


def pairs(value: object) -> Iterator[tuple[object, object]]:
    """Keys or positions, and values, of a container, an instance or a call."""
    if isinstance(value, Call) or (isinstance(value, Items) and value.kind == "dict"):
        yield from zip(value.items[::2], value.items[1::2], strict=False)
    elif isinstance(value, Items):
        yield from enumerate(value.items)
    elif isinstance(value, tuple):
        yield from enumerate(value)
    if isinstance(value, Call) and isinstance(value.state, Items | tuple):
        yield from pairs(value.state)


def _storage(value: object, args: tuple[object, ...]) -> tuple[str, int, str, int]:
    pid = value.pid if isinstance(value, Persistent) else None
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":  # noqa: PLR2004
        raise TypeError("no storage")
    kind, key, count = pid[1], pid[2], pid[4]
    if len(pid) > 5 and pid[5] is not None:  # noqa: PLR2004  a view into another storage, up to PyTorch 0.1.10
        raise TypeError("a view")
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
