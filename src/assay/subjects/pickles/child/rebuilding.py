"""Calls that rebuild a tensor of torch, taken apart: number format, shape, and where its numbers lie.

Source: torch/_utils.py and torch/_tensor.py, whose `_rebuild_*` functions torch.save names in its pickles.
"""

from __future__ import annotations

from dataclasses import dataclass

from .symbols import Call, Global, Items, Persistent, name_of
from .wire import storage_width

MAX_RANK = 64  # as in torch
MAX_WRAPPED = 16  # states of parameters of parameters
BEYOND = 1 << 62  # no count of elements or bytes is larger
# Storage classes and dtypes of torch by the number format of safetensors; others have none.
_STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8",
    "ByteStorage": "U8", "BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
}  # fmt: skip
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "bool": "BOOL", "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
}  # fmt: skip
_OTHER_DTYPES = {
    "complex32", "complex128", "float8_e8m0fnu", "float4_e2m1fn_x2", "qint8", "quint8", "qint32", "quint4x2",
    "quint2x4", "bits8", "bits16", "bits1x8", "bits2x4", "bits4x2",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8)),
}  # fmt: skip
_PLACED = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"}
_WRAPPING = {"_rebuild_parameter", "_rebuild_parameter_with_state"}
# What has no form in safetensors, by what to tell of it.
_OTHERS = {
    "_rebuild_sparse_tensor": "sparse", "_rebuild_sparse_csr_tensor": "sparse",
    "_rebuild_qtensor": "quantized", "_rebuild_nested_tensor": "ragged",
    "_rebuild_meta_tensor_no_storage": "empty", "_rebuild_wrapper_subclass": "empty",
    "_rebuild_device_tensor_from_numpy": "device", "_rebuild_xla_tensor": "device",
    "_rebuild_device_tensor_from_cpu_tensor": "device",
}  # fmt: skip
_TYPED = ("torch._tensor", "_rebuild_from_type_v2")
# With these, what torch.load(weights_only=True) rebuilds besides, all of it plain values.
_PLAIN = {
    ("collections", "OrderedDict"), ("collections", "Counter"), ("collections", "defaultdict"),
    ("torch", "Size"), ("torch", "device"), ("torch.serialization", "_get_layout"), ("_codecs", "encode"),
    _TYPED, ("torch", "Tensor"), ("torch._tensor", "Tensor"), ("torch.nn.parameter", "Parameter"),
    ("torch.nn.parameter", "Buffer"),
    *(("torch", f"per_{what}") for what in ("tensor_affine", "tensor_symmetric", "channel_affine",
                                            "channel_symmetric", "channel_affine_float_qparams")),
    *((module, name) for module in ("builtins", "__builtin__")
      for name in ("set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "str", "bytearray")),
}  # fmt: skip


class RefusedError(Exception):
    """Something that cannot be written: a code that the parent knows, the tensor's name, and a detail."""

    def __init__(self, code: str, name: str = "", detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.name = name
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor: its number format, its storage's key, class and count of elements, and its place in that."""

    dtype: str
    key: str
    kind: str
    count: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the storage."""
        return self.count * storage_width(self.kind)


def is_plain(module: str, name: str) -> bool:
    """Whether a global is one that tensors and plain values are made of."""
    if module == "torch._utils":
        return name in _PLACED | _WRAPPING or name in _OTHERS
    return (module, name) in _PLAIN or is_dtype(module, name) or storage_width(f"{module}.{name}") > 0


def is_dtype(module: str, name: str) -> bool:
    """Whether a global is a dtype of torch."""
    return module == "torch" and (name in _DTYPES or name in _OTHER_DTYPES)


def makes_tensor(function: object) -> bool:
    """Whether calling this global gives a tensor of its own, rather than one that it was given."""
    if not isinstance(function, Global):
        return False
    own = function.module == "torch._utils" and (function.name in _PLACED or function.name in _OTHERS)
    return own or (function.module, function.name) == _TYPED


def unwrapped(call: Call) -> tuple[Call, tuple[object, ...]] | None:
    """The call that makes the tensor which `call` gives, and states set on it; None where it gives none."""
    states: list[object] = [call.state]
    while isinstance(call.function, Global) and call.function.module == "torch._utils":
        if call.function.name not in _WRAPPING:
            break
        states += call.args[3:4]
        inner = call.args[0] if call.args else None
        if not isinstance(inner, Call) or len(states) > MAX_WRAPPED:
            raise RefusedError("broken")
        call = inner
        states.append(call.state)
    if not makes_tensor(call.function):
        return None
    states += call.args[3:4] if _is_typed(call) else ()
    return call, tuple(state for state in states if state is not None)


def _is_typed(call: Call) -> bool:
    return isinstance(call.function, Global) and (call.function.module, call.function.name) == _TYPED


def placed(call: Call) -> Placed:
    """Where a tensor lies.

    Raises:
        RefusedError: it has no form in safetensors, or is no tensor that torch could rebuild.
    """
    function, args = call.function, call.args
    if _is_typed(call):
        inner = args[2] if len(args) > 2 and isinstance(args[0], Global) else None  # noqa: PLR2004
        if not isinstance(inner, tuple) or _is_typed(Call(args[0], inner)):
            raise RefusedError("broken")
        return placed(Call(args[0], inner))
    if not isinstance(function, Global) or function.module != "torch._utils":
        raise RefusedError("broken")
    if function.name in _OTHERS:
        raise RefusedError(_OTHERS[function.name])
    if function.name not in _PLACED or len(args) < 4:  # noqa: PLR2004
        raise RefusedError("broken")
    return _placed(function.name, args)


def _placed(builder: str, args: tuple[object, ...]) -> Placed:
    third = builder == "_rebuild_tensor_v3"  # names its dtype on its own
    _require_own_numbers(args[7:8] if third else args[6:7])
    kind, key, count = _storage(args[0])
    named = name_of(args[6]) if third and len(args) > 6 else kind  # noqa: PLR2004
    module, _, name = named.rpartition(".")
    dtype = (_DTYPES.get(name) if module == "torch" else None) if third else _STORAGES.get(name)
    if dtype is None:
        raise RefusedError("dtype", detail=named[:100])
    shape, stride = _integers(args[2]), _integers(args[3])
    if len(shape) != len(stride):
        raise RefusedError("broken")
    (offset,) = _integers((args[1],))
    return Placed(dtype, key, kind, count, offset, shape, stride)


def _require_own_numbers(metadata: tuple[object, ...]) -> None:
    """Refuse a tensor that is conjugated or negated only when it is read (`torch._C._set_conj`)."""
    for value in metadata:
        if isinstance(value, Items) and all(flag is False for flag in value.items[1::2]):
            continue
        if value is not None:
            raise RefusedError("lazy")


def _storage(value: object) -> tuple[str, str, int]:
    """The full name of a storage's class, its key, and how many elements it has."""
    pid = value.pid if isinstance(value, Persistent) else None
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":  # noqa: PLR2004
        raise RefusedError("broken")
    kind, key, count = pid[1], pid[2], pid[4]
    if len(pid) > 5 and pid[5] is not None:  # noqa: PLR2004
        raise RefusedError("view")
    if not isinstance(kind, Global) or type(key) is not str or type(count) is not int:
        raise RefusedError("broken")
    named = f"{kind.module}.{kind.name}"
    if not 0 <= count < BEYOND or not storage_width(named):
        raise RefusedError("broken")
    return named, key, count


def _integers(value: object) -> tuple[int, ...]:
    """A shape, stride or offset: as a tuple, or as `torch.Size` of one."""
    if isinstance(value, Call) and value.function == Global("torch", "Size"):
        value = value.args[0] if value.args else ()
    if not isinstance(value, tuple) or len(value) > MAX_RANK:
        raise RefusedError("broken")
    if not all(type(number) is int and 0 <= number < BEYOND for number in value):
        raise RefusedError("broken")
    return value
