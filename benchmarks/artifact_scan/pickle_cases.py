"""Pickles: opcodes that confuse, shapes of allowed names, and every kind of name that does harm."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import functools
import pathlib
import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fixtures import framework_attacks, pickle_attacks, shape_attacks
from fixtures.baits import touching
from fixtures.opcodes import PROTO_4, STOP, call, integer, list_of, raw, text

from .cases import Case, cases
from .gadgets import CHAINS, GADGETS

_NEVER = touching(Path("/tmp/never-written"))


def pickles() -> Iterator[Case]:
    """All of them, each in `model.pkl`."""
    yield from cases("opcodes", "model.pkl", {**pickle_attacks.attacks(_NEVER), **_bombs()}, attack=True)
    yield from cases("opcodes", "model.pkl", pickle_attacks.twins(), attack=False)
    yield from cases("misused names", "model.pkl", shape_attacks.attacks(_NEVER), attack=True)
    yield from cases("misused names", "model.pkl", shape_attacks.twins(), attack=False)
    yield from cases("misused classes", "model.pkl", framework_attacks.attacks(_NEVER), attack=True)
    yield from cases("misused classes", "model.pkl", framework_attacks.twins(), attack=False)
    yield from cases("gadgets", "model.pkl", dict(_gadgets()), attack=True)
    yield from cases("gadgets", "model.pkl", _ordinary(), attack=False)


def _bombs() -> dict[str, bytes]:
    hashed = b"".join(b"h" + bytes([i]) + b"2\x86\x94" for i in range(60))
    return {
        "hash bomb": b"\x80\x04)\x94" + hashed + b"}h\x3cK\x01s.",
        "memo of 16 GB": b"\x80\x04Nr\x00\x00\x00\x40.",
    }


def _gadgets() -> Iterator[tuple[str, bytes]]:
    for name, arguments in GADGETS.items():
        yield name, PROTO_4 + call(name, *map(_argument, arguments)) + STOP
    for name, body in CHAINS.items():
        yield name, PROTO_4 + body + STOP


def _argument(value: str | int | bytes) -> bytes:
    if isinstance(value, int):
        return integer(value)
    return text(value) if isinstance(value, str) else raw(value)


def _ordinary() -> dict[str, bytes]:
    """What programs store besides containers and numbers."""
    values = {
        "decimal": decimal.Decimal("1.5"),
        "fraction": fractions.Fraction(1, 3),
        "uuid": uuid.UUID(int=7),
        "path": pathlib.PurePosixPath("a/b"),
        "deque": collections.deque([1, 2], 5),
        "default dict": collections.defaultdict(list, a=[1]),
        "counter": collections.Counter("hello"),
        "time zone": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "partial": functools.partial(np.add, 1),
        "array": np.arange(6.0).reshape(2, 3),
        "array of objects": np.array([{"a": 1}, None], dtype=object),
        "masked array": np.ma.array([1, 2], mask=[True, False]),
        "generator": np.random.default_rng(1),
        "scalar": np.float32(1.5),
        "range and slice": [range(9), slice(1, 2)],
        "error": ValueError("no"),
    }
    made = {name: pickle.dumps(value, 4) for name, value in values.items()}
    size = call("torch.Size", list_of(integer(3)))
    return {
        **made,
        "torch size": PROTO_4 + size + STOP,
        "torch device": PROTO_4 + call("torch.device", text("cpu")) + STOP,
    }
