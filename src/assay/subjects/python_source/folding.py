"""Computes what obfuscated source spells: joins, slices, formats and decodings of constants, all bounded."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import gzip
import io
import lzma
import operator
import urllib.parse
import zlib
from ast import Add, BinOp, BitXor, Mod, Mult, Sub
from bz2 import BZ2Decompressor
from collections.abc import Callable, Mapping, Sequence

from assay.subjects.python_source.value import Constant, Value

MAX_CONSTANT = 1 << 20  # characters or bytes of anything computed here
_TEXT = (str, bytes)
_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    Add: operator.add, Sub: operator.sub, BitXor: operator.xor, Mod: operator.mod, Mult: operator.mul,
}  # fmt: skip
_CODECS = frozenset({
    "rot13", "rot_13", "hex", "hex_codec", "base64", "base64_codec", "utf-8", "utf8", "ascii", "latin-1",
    "latin1", "unicode_escape", "utf-16", "utf-7", "raw_unicode_escape", "punycode", "uu",
})  # fmt: skip
_METHODS = frozenset({
    "join", "replace", "lower", "upper", "strip", "lstrip", "rstrip", "decode", "encode", "format", "hex",
    "swapcase", "title", "capitalize", "removeprefix", "removesuffix",
})  # fmt: skip


def binary(node: BinOp, left: Constant, right: Constant) -> Constant:
    """An operation on two constants; None where it is not computed."""
    if isinstance(left, int) and isinstance(right, int):
        return _numbers(node, left, right)
    if isinstance(node.op, Add) and isinstance(left, _TEXT) and isinstance(right, _TEXT):
        return _checked(lambda: left + right, len(left) + len(right))  # type: ignore[operator]
    if isinstance(node.op, Mod) and isinstance(left, str) and isinstance(right, str | int):
        # A width such as %999999999s would be a bomb.
        return _checked(lambda: left % right, len(left) + 8) if left.count("%") <= left.count("%s") else None
    if isinstance(node.op, Mult) and isinstance(left, _TEXT) and isinstance(right, int):
        return _checked(lambda: left * right, len(left) * right)
    return None


def _numbers(node: BinOp, left: int, right: int) -> Constant:
    compute = _OPERATORS.get(type(node.op))
    if compute is None or max(abs(left), abs(right)) >= 1 << 64:
        return None
    return _checked(lambda: compute(left, right), 1)


def method(receiver: Constant, name: str, args: Sequence[Value]) -> Constant:
    """A method of a constant text called with constants; None where it is not computed."""
    if not isinstance(receiver, _TEXT) or name not in _METHODS:
        return None
    if name == "join":
        return _join(receiver, args)
    given = [arg.constant for arg in args]
    if any(value is None for value in given):
        return None
    if name in {"decode", "encode"}:
        return _recode(receiver, given)
    if name == "format" and ":" in str(receiver):
        return None
    size = len(receiver) * (1 + max((len(v) for v in given if isinstance(v, _TEXT)), default=0))
    return _checked(lambda: getattr(receiver, name)(*given), size)


def _join(separator: str | bytes, args: Sequence[Value]) -> Constant:
    if len(args) != 1:
        return None
    whole = args[0].constant
    pieces = list(whole) if isinstance(whole, str) else [item.constant for item in args[0].items or ()]
    if isinstance(separator, str):
        texts = [piece for piece in pieces if isinstance(piece, str)]
        size = sum(map(len, texts)) + len(separator) * len(texts)
        return _checked(lambda: separator.join(texts), size) if texts and len(texts) == len(pieces) else None
    parts = [piece for piece in pieces if isinstance(piece, bytes)]
    size = sum(map(len, parts)) + len(separator) * len(parts)
    return _checked(lambda: separator.join(parts), size) if parts and len(parts) == len(pieces) else None


def _recode(receiver: str | bytes, given: Sequence[Constant]) -> Constant:
    codec = str(given[0]).lower() if given else "utf-8"
    if codec not in _CODECS:
        return None
    if isinstance(receiver, bytes):
        return _checked(lambda: codecs.decode(receiver, codec), 2 * len(receiver))
    return _checked(lambda: codecs.encode(receiver, codec), 2 * len(receiver))


def knows(name: str) -> bool:
    """Whether calls of this function may be computed."""
    return name in _FUNCTIONS or name == "builtins.reversed"


def call(name: str, args: Sequence[Value]) -> Constant:
    """A known pure function called with constants; None where it is not computed."""
    if name == "builtins.bytes" and args and args[0].items is not None:
        numbers = [item.constant for item in args[0].items]
        return _checked(lambda: bytes(numbers), len(numbers))  # type: ignore[arg-type]
    if name == "builtins.reversed" and args and isinstance(args[0].constant, str):
        return args[0].constant[::-1]
    compute = _FUNCTIONS.get(name)
    given = [arg.constant for arg in args]
    if compute is None or not given or any(value is None for value in given):
        return None
    size = max((len(value) for value in given if isinstance(value, _TEXT)), default=1)
    return _checked(lambda: compute(*given), size)


def _checked(compute: Callable[[], object], size: int) -> Constant:
    if size > MAX_CONSTANT:
        return None
    try:
        result = compute()
    except (ValueError, TypeError, LookupError, ArithmeticError, OSError, EOFError, MemoryError, zlib.error,
            lzma.LZMAError, binascii.Error, RecursionError, Warning):  # fmt: skip
        return None
    if isinstance(result, bytearray | memoryview):
        result = bytes(result)
    if isinstance(result, _TEXT):
        return result if len(result) <= MAX_CONSTANT else None
    return result if isinstance(result, int) else None


def _inflate(data: bytes, *_: object) -> bytes:
    return zlib.decompressobj(47 if data[:1] in (b"\x78", b"\x1f") else -15).decompress(data, MAX_CONSTANT)


def _ungzip(data: bytes, *_: object) -> bytes:
    return gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_CONSTANT)


def _unxz(data: bytes, *_: object) -> bytes:
    return lzma.LZMADecompressor(memlimit=64 << 20).decompress(data, MAX_CONSTANT)


def _codecs_decode(data: str | bytes, codec: str = "utf-8", *_: object) -> object:
    return codecs.decode(data, codec) if codec.lower() in _CODECS else None  # type: ignore[arg-type]


def _text(value: object, codec: object = None, *_: object) -> object:
    if isinstance(value, bytes):
        return codecs.decode(value, str(codec)) if str(codec).lower() in _CODECS else None
    return str(value)


def _encoded(text: object, codec: object) -> object:
    return text.encode(str(codec)) if isinstance(text, str) and str(codec).lower() in _CODECS else None


_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "builtins.chr": chr, "builtins.ord": ord, "builtins.str": _text,
    "builtins.bytes": lambda text, codec="utf-8", *_: text if isinstance(text, bytes) else _encoded(text,
                                                                                                    codec),
    "builtins.bytearray": lambda text, codec="utf-8", *_: _encoded(text, codec), "builtins.int": int,
    "builtins.bytes.fromhex": bytes.fromhex, "builtins.bytearray.fromhex": bytes.fromhex,
    "base64.b64decode": base64.b64decode, "base64.standard_b64decode": base64.b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode, "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode, "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode, "base64.decodebytes": base64.decodebytes,
    "binascii.unhexlify": binascii.unhexlify, "binascii.a2b_hex": binascii.unhexlify,
    "binascii.a2b_base64": binascii.a2b_base64, "codecs.decode": _codecs_decode,
    "codecs.encode": lambda text, codec="utf-8", *_: _recode(text, [codec]),
    "zlib.decompress": _inflate, "gzip.decompress": _ungzip, "lzma.decompress": _unxz,
    "bz2.decompress": lambda data, *_: BZ2Decompressor().decompress(data, MAX_CONSTANT),
    "urllib.parse.unquote": urllib.parse.unquote,
}  # fmt: skip
