"""Arrays and storages: where their bytes end, what follows them, and what only poses as numbers."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.report import Status
from assay.subjects.npy_header import MAX_HEADER, read_npy_header
from fixtures.opcodes import (
    FALSE,
    NONE,
    PROTO_2,
    STOP,
    build,
    call,
    dict_of,
    dtype,
    integer,
    list_of,
    named,
    new,
    text,
    tuple_of,
)
from fixtures.scanning import scan

CALL = b"cos\nsystem\n(S'id'\ntR."
WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"


def _npy(descr: object, shape: tuple[int, ...], body: bytes) -> bytes:
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def _saved(*arrays: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    for array in arrays:
        np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "descr", ["|O", "object", "object_", "O8", [("a", "object")], [("a", [("b", "|O")])]]
)
def test_every_spelling_of_objects_is_unpickled(descr: object, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(_npy(descr, (1,), b"\x80\x02" + CALL))
    assert "pickle/dangerous-global" in {f.rule for f in scan(file).findings}
    file.write_bytes(_npy(descr, (1,), pickle.dumps([1])))
    assert scan(file).status is Status.PASS


BENIGN = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "bool": np.array([True]),
    "empty": np.array([]),
    "scalar": np.array(5),
    "big-endian": np.arange(4, dtype=">i4"),
    "fortran": np.asfortranarray(np.ones((3, 4))),
    "time": np.array(["2026-01-01"], "M8[D]"),
    "text": np.array(["ab", "c"]),
    "bytes": np.array([b"ab"]),
    "void": np.zeros(2, "V5"),
    "records": np.zeros(2, dtype=[("a", "f4"), ("b", "i4", (2, 3)), ("c", [("d", "U3")])]),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "records-of-objects": np.array([(1, [2])], dtype=[("a", "i4"), ("b", "O")]),
}


@pytest.mark.parametrize("name", BENIGN)
def test_what_numpy_saves_passes(name: str, tmp_path: Path) -> None:
    array = BENIGN[name]
    (tmp_path / "a.npy").write_bytes(_saved(array))
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(array, 2))
    (tmp_path / "a5.pkl").write_bytes(pickle.dumps(array, 5))
    np.savez(tmp_path / "a.npz", a=array)
    for file in ("a.npy", "a.pkl", "a5.pkl", "a.npz"):
        assert scan(tmp_path / file).status is Status.PASS, file
    header = read_npy_header(_saved(array)[:MAX_HEADER])
    assert header.size == (None if array.dtype.hasobject else array.nbytes)


def test_what_follows_an_array_is_examined(tmp_path: Path) -> None:
    file, numbers = tmp_path / "a.npy", _saved(np.ones(3))
    file.write_bytes(numbers + _saved(np.zeros(4)))
    assert scan(file).status is Status.PASS
    file.write_bytes(numbers + _npy("|O", (1,), b"\x80\x02" + CALL))
    assert {f.rule for f in scan(file).findings} == {"pickle/dangerous-global"}
    file.write_bytes(numbers + b"\x80\x02" + CALL)
    assert {f.rule for f in scan(file).findings} == {"pickle/dangerous-global", "pickle/trailing-data"}
    file.write_bytes(numbers + b"notes")
    assert {f.rule for f in scan(file).findings} == {"pickle/trailing-data"}


def test_no_part_of_an_npy_file_passes(tmp_path: Path) -> None:
    file, whole = tmp_path / "a.npy", _saved(np.ones(3))
    for length in range(1, len(whole)):
        file.write_bytes(whole[:length])
        assert scan(file).status is not Status.PASS, length
    file.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{}")
    assert scan(file).status is Status.INCOMPLETE


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_header_raises_anything_but_a_value_error(tail: bytes) -> None:
    for head in (tail, b"\x93NUMPY" + tail, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(tail)) + tail):
        try:
            header = read_npy_header(head)
        except ValueError:
            continue
        assert header.size is None or header.size >= 0


# joblib


def _array_of(kind: bytes, *shape: int) -> bytes:
    return dict_of(subclass=named("numpy.ndarray"), shape=tuple_of(*map(integer, shape)), order=text("C"),
                   dtype=kind, allow_mmap=FALSE)  # fmt: skip


def _hidden(made: bytes) -> bytes:
    """An array of five bytes, for whoever knows of it; else the head of a BINBYTES over a call."""
    evil = b"0" + CALL[:-1]
    after = b"B" + struct.pack("<I", len(evil)) + evil + b"0N."
    return PROTO_2 + build(made, _array_of(dtype("u1"), 5)) + after


@pytest.mark.parametrize(
    "made",
    [
        new(WRAPPER),
        call("copyreg._reconstructor", named(WRAPPER), named("builtins.object"), NONE),
        call("copyreg.__newobj__", named(WRAPPER)),
        call("sklearn.metrics._dist_metrics.newObj", named(WRAPPER)),
        call("pandas.core.indexes.base._new_Index", named(WRAPPER), dict_of()),
        call("numpy.random._pickle.__bit_generator_ctor", named(WRAPPER)),
        build(new("sklearn.dummy.DummyClassifier"), tuple_of(NONE, dict_of(__class__=named(WRAPPER)))),
        build(new("collections.Counter"), tuple_of(NONE, dict_of(__class__=named(WRAPPER)))),
    ],
)
def test_an_array_wrapper_is_known_however_it_is_made(made: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    file.write_bytes(_hidden(made))
    assert scan(file).status is Status.FAIL


@pytest.mark.parametrize(("code", "size", "flags"), [("S1000", 5, 0), ("U250", 20, 8), ("V1000", 5, 0)])
def test_numpy_goes_by_the_size_in_the_state(code: str, size: int, flags: int, tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    body = (b"A" * size + b"0\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.").ljust(1000, b"\0")
    file.write_bytes(PROTO_2 + build(new(WRAPPER), _array_of(dtype(code, size, flags), 1)) + body + STOP)
    rules = {finding.rule for finding in scan(file).findings}
    assert {"pickle/misused-global", "pickle/dangerous-global"} <= rules
    file.write_bytes(
        PROTO_2 + build(new(WRAPPER), _array_of(dtype(code, 1000, flags), 1)) + b"\0" * 1000 + STOP
    )
    assert scan(file).status is Status.PASS


def test_arguments_that_are_no_tuple_never_pass(tmp_path: Path) -> None:
    """Python's own machine, which joblib's is made of, takes a list for them."""
    file = tmp_path / "model.joblib"
    array = build(new(WRAPPER), _array_of(dtype("u1"), 1)) + b"\0"
    pairs = list_of(list_of(tuple_of(text("a"), integer(1))))
    file.write_bytes(PROTO_2 + array + b"0" + named("collections.OrderedDict") + pairs + b"R" + STOP)
    assert scan(file).status is not Status.PASS


def test_what_joblib_writes_passes(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    file = tmp_path / "model.joblib"
    for name, array in BENIGN.items():
        joblib.dump({"a": array, "b": [array, "after"]}, file)
        assert scan(file).status is Status.PASS, name
    if hasattr(np.dtypes, "StringDType"):
        joblib.dump({"a": np.array(["a", "bc"], dtype=np.dtypes.StringDType()), "b": 1}, file)
        assert scan(file).status is Status.PASS


# PyTorch zips


def _names_a_storage(key: str, size: int) -> bytes:
    storage = (
        tuple_of(text("storage"), named("torch.ByteStorage"), text(key), text("cpu"), integer(size)) + b"Q"
    )
    sizes, hooks = tuple_of(integer(size)), call("collections.OrderedDict")
    tensor = call(
        "torch._utils._rebuild_tensor_v2", storage, integer(0), sizes, tuple_of(integer(1)), FALSE, hooks
    )
    return PROTO_2 + dict_of(w=tensor) + STOP


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("x.npy", _npy("|O", (1,), b"\x80\x02" + CALL)),
        ("model.pkl", b"\x80\x02" + CALL),
        ("0", b"\x80\x02" + CALL),
        ("0", _npy("|O", (1,), b"\x80\x02" + CALL)),
    ],
)
def test_a_file_that_poses_as_a_storage_is_examined(key: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    benign = bytes(range(200, 200 + 50)) * 2
    for member, status in (
        (content, Status.FAIL),
        (benign, Status.PASS if key == "0" else Status.INCOMPLETE),
    ):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("a/data.pkl", _names_a_storage(key, len(member)))
            archive.writestr(f"a/data/{key}", member)
        assert scan(file).status is status
