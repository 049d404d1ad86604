"""What counts as plain data imports nothing and reads alike on every machine, to its last byte."""

from __future__ import annotations

import io
import pickle
import tempfile
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.subjects.pickles import plain
from assay.subjects.pickles.asking import Reader
from assay.subjects.pickles.limits import Limits
from assay.subjects.pickles.machine import Machine
from assay.subjects.pickles.plain import is_plain

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.floats(), inner, max_size=5)
    ),
    max_leaves=20,
)
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3)


class _Strict:
    """A machine that must not be asked for anything; it is mixed with CPython's own below."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise AssertionError(f"asked for {module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise AssertionError(f"asked for {pid!r}")


class _InC(_Strict, pickle.Unpickler):
    pass


class _InPython(_Strict, pickle._Unpickler):
    pass


def _load(kind: Any, data: bytes) -> int:
    file = io.BytesIO(data)
    kind(file, encoding="latin1").load()
    return file.tell()


@settings(max_examples=300, deadline=None)
@given(value=DATA, protocol=st.integers(2, 5), changes=CHANGES)
def test_plain_data_loads_alike_and_asks_for_nothing(
    value: object, protocol: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(pickle.dumps(value, protocol))
    for at, byte in changes:
        data[at % len(data)] = byte
    if is_plain(bytes(data)):
        assert _load(_InC, bytes(data)) == _load(_InPython, bytes(data)) == len(data)


@given(value=DATA, protocol=st.integers(2, 5))
def test_what_json_holds_is_plain(value: object, protocol: int) -> None:
    assert is_plain(pickle.dumps(value, protocol))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=DATA, protocol=st.integers(2, 5), changes=CHANGES)
def test_the_child_says_the_same(
    reader: Reader, value: object, protocol: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(pickle.dumps(value, protocol))
    for at, byte in changes:
        data[at % len(data)] = byte
    if not is_plain(bytes(data)):
        return
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        told = reader.read(file.fileno(), 0, len(data), probe=False, walk=False)
    assert (told.is_pickle, told.streams, told.incomplete, told.machines) == (True, 1, (), ("c",))
    assert {event.kind for event in told.events} == {"stream", "kind", "end"}


@pytest.fixture(scope="module")
def reader() -> Any:
    reader = Reader(Limits(seconds=5), "")
    yield reader
    reader.close()


FRAME = b"\x95"
NOT_PLAIN = {
    "a global": pickle.dumps(len, 4),
    "a class": b"\x80\x02cos\nsystem\n.",
    "instance": b"\x80\x02(ios\nsystem\n.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent id": b"\x80\x02K\x01Q.",
    "bytes, which may hold a pickle": pickle.dumps(b"x", 4),
    "an old protocol": pickle.dumps([1], 0),
    "no protocol": b"]K\x01a.",
    "a newer protocol": b"\x80\x06N.",
    "a second stream": pickle.dumps(1, 4) * 2,
    "bytes behind it": pickle.dumps(1, 4) + b"\n",
    "no stop": pickle.dumps([1], 4)[:-1] + b"N",
    "two protocols": b"\x80\x02\x80\x02N.",
    "a value too many": b"\x80\x02NN.",
    "a value too few": b"\x80\x02.",
    "a mark that is left": b"\x80\x02(N.",
    "an item below a mark": b"\x80\x02]N(a.",
    "a list under a mark": b"\x80\x02](N(Ne0.",
    "an item for no list": b"\x80\x02}Na.",
    "an item for no dict": b"\x80\x02]NNs.",
    "a key without a value": b"\x80\x02}(Nu.",
    "a key that hashes without end": pickle.dumps({(1, 2): 3}, 4),
    "a key that has no hash": b"\x80\x02}]Ns.",
    "a pop": b"\x80\x02NN0.",
    "a duplicate": b"\x80\x02N2a.",
    "a set": pickle.dumps({1}, 4),
    "a memo of its own counting": b"\x80\x02Nq\x05.",
    "a large memo": b"\x80\x02Nr\x00\x00\x00\x40.",
    "what no memo has": b"\x80\x02h\x00.",
    "text that is no UTF-8": b"\x80\x04\x8c\x01\xff.",
    "text past the end": b"\x80\x04\x8c\x05ab.",
    "a number past the end": b"\x80\x02J\x00\x00.",
    "a stop in an argument": b"\x80\x02K.",
    "a long past the end": b"\x80\x02\x8a\x09\x01.",
    "a frame that is short": b"\x80\x04" + FRAME + (1).to_bytes(8, "little") + b"NNN.",
    "a frame that is long": b"\x80\x04" + FRAME + (9).to_bytes(8, "little") + b"N.",
    "a frame of protocol 2": b"\x80\x02" + FRAME + (2).to_bytes(8, "little") + b"N.",
    "a setting's target": pickle.dumps({"_target_": "os.system"}, 4),
    "more than is read here": pickle.dumps(["x" * plain.MOST], 4),
    "nothing": b"",
    "a protocol alone": b"\x80\x04",
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_or_not_whole_is_for_the_machine(name: str) -> None:
    assert not is_plain(NOT_PLAIN[name])


def test_no_child_is_started_for_plain_data() -> None:
    def refuse() -> str:
        raise AssertionError("a child was to be started")

    machine = Machine(Limits(), refuse)
    with tempfile.TemporaryFile() as file:
        file.write(pickle.dumps({"weights": [0.5] * 10}, 4))
        file.flush()
        record = machine.read(file.fileno(), 0, file.tell())
    machine.close()
    assert (record.is_pickle, record.machines, record.events[-1].what) == (True, ("plain",), ("plain", ""))
