"""Pickles at random: real ones of many shapes, programs that keep an eye on the stack, and both mutilated."""

from __future__ import annotations

import collections
import datetime as dt
import pickle
import random
import struct
from collections.abc import Callable

from fixtures import framework_attacks, shape_attacks
from fixtures.pickle_attacks import attacks

NAMES = [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("acme", "Layer"),
    ("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "FloatStorage"),
    ("numpy", "dtype"), ("_codecs", "encode"),
    ("torch", "serialization.os.system"), ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"),
    ("sklearn.dummy", "DummyClassifier"), ("sklearn.utils._bunch", "Bunch"), ("functools", "partial"),
    ("numpy", "ndarray"), ("argparse", "Namespace"), ("joblib.numpy_pickle", "NumpyArrayWrapper"),
]  # fmt: skip
CLASSES = [("sklearn.dummy", "DummyClassifier"), ("argparse", "Namespace"), ("collections", "OrderedDict")]
KEYS = ["__setstate__", "__class__", "__new__", "append", "keys", "_response_method", "shape"]
MAX_STEPS = 60


class _Names:
    def __init__(self, value: object) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object]]:
        return collections.OrderedDict, ([("value", self.value)],)


def corpus() -> list[bytes]:
    """Seeds: what people pickle, in every protocol, and the known attacks."""
    shared: list[object] = ["x" * 40]
    values: list[object] = [
        {"a": 1, "b": [1.5, None, True], "c": ("t", b"bytes", bytearray(b"ba"))},
        [shared, shared, {"k": shared}],
        collections.OrderedDict(weight=[0.1] * 20),
        {1, 2, 3},
        frozenset("ab"),
        [2**70, -(2**40), 1 + 2j, dt.date(2026, 1, 2)],
        [_Names(number) for number in range(3)],
        {f"key{number}": "v" * number for number in range(300)},
    ]
    plain = [pickle.dumps(value, protocol) for value in values for protocol in range(6)]
    shaped = [
        content
        for source in (shape_attacks, framework_attacks)
        for contents in (source.attacks(), source.twins())
        for content in contents.values()
    ]
    return plain + shaped + list(attacks().values())


def generate(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One input."""
    draw = rng.random()
    if draw < 0.05:
        return built(rng)
    if draw < 0.45:
        return program(rng)
    if draw < 0.85:
        return mutilate(rng, rng.choice(seeds))
    return splice(rng, [program(rng) if rng.random() < 0.5 else rng.choice(seeds) for _ in range(2)])


def program(rng: random.Random) -> bytes:
    """A stream whose opcodes mostly find what they need on the stack."""
    out = bytearray(
        rng.choice([b"", b"\x80\x02", b"\x80\x04", b"\x80\x05", b"\x80\x04\x95" + _u8(rng.randrange(40))])
    )
    stack, marks, memo = 0, 0, 0
    for _ in range(rng.randrange(1, MAX_STEPS)):
        ready = [step for step in _STEPS if stack >= step[1] and (marks or not step[3])]
        make, needs, leaves, marked = rng.choice(ready) if rng.random() < 0.96 else rng.choice(_STEPS)
        out += make(rng, memo)
        stack = max(0, stack - needs + leaves)
        marks += 1 if make is _mark else -1 if marked and marks else 0
        memo += make in {_memoize, _put}
    if rng.random() < 0.9:
        out += b"."
    return bytes(out)


def built(rng: random.Random) -> bytes:
    """An instance of an allowed class with one state or two, and nothing that is not allowed."""
    module, name = rng.choice(CLASSES)
    made = rng.choice([b")\x81", b")R"]) if rng.random() < 0.7 else b"cbuiltins\nobject\nN\x87R"
    head = b"ccopyreg\n_reconstructor\n" if made.startswith(b"c") else b""
    states = b"".join(_attributes(rng, _number(rng, 0)) + b"b" for _ in range(rng.randrange(1, 3)))
    return b"\x80\x04" + head + f"c{module}\n{name}\n".encode() + made + states + b"."


def mutilate(rng: random.Random, data: bytes) -> bytes:
    """Flip, cut, double, swap or overwrite a few bytes."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at, length = rng.randrange(len(out) + 1), rng.randrange(1, 9)
        what = rng.randrange(5)
        if what == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            del out[at : at + length]
        elif what == 2:
            out[at:at] = out[max(0, at - length) : at]
        elif what == 3:
            out[at : at + 1] = bytes([rng.choice(_OPCODES)])
        else:
            out[at:at] = rng.choice(_FRAGMENTS)
    return bytes(out) or b"."


def splice(rng: random.Random, parts: list[bytes]) -> bytes:
    """Two streams one after the other, inside each other, or one cut into the other."""
    first, second = parts
    how = rng.randrange(3)
    if how == 0:
        return first + bytes(rng.randrange(256) for _ in range(rng.randrange(4))) + second
    if how == 1:
        return pickle.dumps([second, first])
    at = rng.randrange(len(first) + 1)
    return first[:at] + second + first[at:]


def _u8(value: int) -> bytes:
    return struct.pack("<Q", value)


def _text(rng: random.Random, value: str) -> bytes:
    raw = value.encode()
    forms = (
        b"\x8c" + bytes([len(raw)]) + raw,
        b"X" + struct.pack("<I", len(raw)) + raw,
        b"V" + raw + b"\n",
        b"S'" + raw + b"'\n",
        b"U" + bytes([len(raw)]) + raw,
        b"\x8d" + _u8(len(raw)) + raw,
    )
    return rng.choice(forms[:3] if rng.random() < 0.7 else forms)


def _named(rng: random.Random, _: int) -> bytes:
    module, name = rng.choice(NAMES)
    if rng.random() < 0.5:
        return f"c{module}\n{name}\n".encode()
    return _text(rng, module) + _text(rng, name) + b"\x93"


def _instance(rng: random.Random, _: int) -> bytes:
    module, name = rng.choice(NAMES)
    return f"i{module}\n{name}\n".encode()


def _word(rng: random.Random, _: int) -> bytes:
    return _text(rng, rng.choice(["os", "system", "x", "collections", "OrderedDict", "id", *KEYS]))


def _number(rng: random.Random, _: int) -> bytes:
    return rng.choice(
        [b"K\x07", b"M\x01\x02", b"J\xff\xff\xff\xff", b"I12\n", b"L5L\n", b"\x8a\x01\x7f", b"N", b"\x88"]
    )


def _bytes(rng: random.Random, _: int) -> bytes:
    raw = rng.choice([b"ab", b"\x80\x02N.", b"cos\nsystem\n."])
    return (
        rng.choice([b"C" + bytes([len(raw)]), b"B" + struct.pack("<I", len(raw)), b"\x96" + _u8(len(raw))])
        + raw
    )


def _state(rng: random.Random, memo: int) -> bytes:
    return _attributes(rng, _named(rng, memo) if rng.random() < 0.5 else _number(rng, memo))


def _attributes(rng: random.Random, value: bytes) -> bytes:
    """A dict of attributes, some of which Python would obey; at times the pair of state and slots."""
    attributes = b"}" + _text(rng, rng.choice([*KEYS, "alpha"])) + value + b"s"
    return rng.choice([attributes, b"N" + attributes + b"\x86", attributes + b"}\x86"])


def _build(rng: random.Random, memo: int) -> bytes:
    return _state(rng, memo) + b"b"


def _mark(_: random.Random, __: int) -> bytes:
    return b"("


def _memoize(_: random.Random, __: int) -> bytes:
    return b"\x94"


def _put(rng: random.Random, memo: int) -> bytes:
    slot = rng.randrange(memo + 2)
    return rng.choice([b"q" + bytes([slot]), f"p{slot}\n".encode(), b"r" + struct.pack("<I", slot)])


def _get(rng: random.Random, memo: int) -> bytes:
    slot = rng.randrange(memo + 1)
    return rng.choice([b"h" + bytes([slot]), f"g{slot}\n".encode(), b"j" + struct.pack("<I", slot)])


def _op(*codes: bytes) -> Callable[[random.Random, int], bytes]:
    def make(rng: random.Random, _: int) -> bytes:
        return rng.choice(codes)

    return make


# How it is written, how many items it takes, how many it leaves, whether it needs a mark.
_STEPS: list[tuple[Callable[[random.Random, int], bytes], int, int, bool]] = [
    (_named, 0, 1, False), (_named, 0, 1, False), (_word, 0, 1, False), (_number, 0, 1, False),
    (_bytes, 0, 1, False), (_mark, 0, 1, False), (_op(b"]", b"}", b")", b"\x8f"), 0, 1, False),
    (_memoize, 1, 1, False), (_put, 1, 1, False), (_get, 0, 1, False), (_op(b"\x93"), 2, 1, False),
    (_op(b"R", b"\x81"), 2, 1, False), (_op(b"R", b"\x81"), 2, 1, False), (_op(b"\x92"), 3, 1, False),
    (_op(b"b"), 2, 1, False), (_state, 0, 1, False), (_build, 1, 1, False),
    (_op(b"a"), 2, 1, False), (_op(b"s"), 3, 1, False),
    (_op(b"0", b"2"), 1, 1, False),
    (_op(b"\x85"), 1, 1, False), (_op(b"\x86"), 2, 1, False), (_op(b"\x87"), 3, 1, False),
    (_op(b"t", b"l", b"d", b"e", b"u", b"\x90", b"\x91", b"1", b"o"), 1, 1, True), (_instance, 1, 1, True),
    (_op(b"Q", b"P1\n", b"\x97", b"\x98"), 1, 1, False), (_op(b"\x82\x01", b"\x84\x01\0\0\0"), 0, 1, False),
    (_op(b"\x80\x04", b"\x95\x03\0\0\0\0\0\0\0", b"\x95\x09\0\0\0\0\0\0\0"), 0, 0, False),
    (_op(b"."), 1, 0, False),
]  # fmt: skip
_OPCODES = [code[0] for code in pickle.__dict__.values() if isinstance(code, bytes) and len(code) == 1]
_FRAGMENTS = [
    b"cos\nsystem\n",
    b"\x8c\x02os\x8c\x06system\x93",
    b"(S'id'\ntR",
    b"0",
    b".",
    b"\x95\x02\0\0\0\0\0\0\0",
    b"(ios\nsystem\n",
]
