"""Safetensors written from tensors of any strides, whole or not at all, and within bounds."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from assay.core.errors import LimitError, SubjectError
from assay.subjects.weights import Tensor, WeightsFile, convert, open_weights
from assay.subjects.weights.strided import boxes, copy_strided
from assay.subjects.weights.writing import write_safetensors
from fixtures.opcodes import integer, list_of, text
from fixtures.torch_pickles import entries, storage, tensor, zipped

SIZES = {1: "U8", 2: "F16", 4: "F32", 8: "F64"}


@st.composite
def strided(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """A shape, strides in any order that may skip, overlap or repeat, bytes of an element and of a tile."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    stride = [0] * len(shape)
    step = 1
    for dimension in draw(st.permutations(range(len(shape)))):
        stride[dimension] = draw(st.sampled_from([step, step, step, step + 1, step * 3, 0, 1]))
        step = max(step, stride[dimension] * shape[dimension])
    return shape, tuple(stride), draw(st.sampled_from([1, 2, 4, 8])), draw(st.integers(1, 200))


@given(strided())
def test_any_strides_come_out_in_c_order(case: tuple[tuple[int, ...], tuple[int, ...], int, int]) -> None:
    shape, stride, size, tile = case
    span = 1 + sum((count - 1) * step for count, step in zip(shape, stride, strict=True))
    stored = np.random.default_rng(0).integers(0, 256, (span + 1) * size, np.uint8).view(f"u{size}")
    steps = tuple(size * step for step in stride)
    expected = np.lib.stride_tricks.as_strided(stored[1:], shape, steps).tobytes()
    with TemporaryDirectory() as folder, TemporaryFile() as copied:
        (Path(folder) / "stored").write_bytes(stored.tobytes())
        with WeightsFile(Path(folder) / "stored", "stored") as file:
            one = Tensor("w", SIZES[size], shape, file, size, stride)
            done = list(copy_strided(one, copied.fileno(), 3, tile=tile))
        assert os.pread(copied.fileno(), len(expected) + 9, 3) == expected
    assert done[-1] == len(expected)
    assert done == sorted(set(done))


@given(strided(), st.integers(1, 50))
def test_boxes_are_bounded_and_make_up_the_shape(
    case: tuple[tuple[int, ...], tuple[int, ...], int, int], most: int
) -> None:
    shape, stride, *_ = case
    met = np.zeros(shape, np.int64)
    for origin, extent in boxes(shape, stride, most):
        assert prod(extent) <= most
        met[tuple(slice(o, o + e) for o, e in zip(origin, extent, strict=True))] += 1
    assert (met == 1).all()


def test_boxes_are_long_both_where_they_are_read_and_written() -> None:
    _, extent = next(boxes((4096, 4096), (1, 4096), 1 << 16))
    assert extent == (256, 256)
    _, extent = next(boxes((1 << 20, 3), (1, 1 << 20), 1 << 16))
    assert extent == ((1 << 16) // 3, 3)


@pytest.fixture
def file(tmp_path: Path) -> WeightsFile:
    (tmp_path / "stored").write_bytes(bytes(range(48)))
    return WeightsFile(tmp_path / "stored", "stored")


@pytest.mark.parametrize(
    ("names", "dtype", "shape", "told"),
    [
        (["__metadata__"], "F32", (3,), "is named __metadata__"),
        (["a\ud800"], "F32", (3,), "no valid Unicode text"),
        (["a", "a"], "F32", (3,), "has the name of another tensor"),
        (["a"], "F4", (3,), "number format F4"),
        (["a"], "C128", (3,), "number format C128"),
        (["a"], "F32", (1 << 40, 1 << 40, 0), "a shape that no reader"),
    ],
)
def test_what_no_reader_takes_is_refused(
    names: Sequence[str], dtype: str, shape: tuple[int, ...], told: str, file: WeightsFile, tmp_path: Path
) -> None:
    target = tmp_path / "out.safetensors"
    with pytest.raises(SubjectError, match=told):
        write_safetensors(target, [Tensor(name, dtype, shape, file, 0) for name in names])
    assert [path.name for path in tmp_path.iterdir()] == ["stored"]


@pytest.mark.parametrize("name", ["", "metadata", "é\u202e", "a b", 'a"\\\n', "\U0001f600"])
def test_names_that_readers_take_are_written(name: str, file: WeightsFile, tmp_path: Path) -> None:
    write_safetensors(tmp_path / "out.safetensors", [Tensor(name, "U8", (48,), file, 0)])
    assert load_file(tmp_path / "out.safetensors")[name].tolist() == list(range(48))


def test_a_header_larger_than_readers_take_is_refused(file: WeightsFile, tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="readers take 100,000,000"):
        write_safetensors(tmp_path / "out.safetensors", [Tensor("n" * 100_000_000, "U8", (1,), file, 0)])


def test_a_file_that_shrinks_leaves_nothing(file: WeightsFile, tmp_path: Path) -> None:
    tensors = [Tensor("a", "U8", (40,), file, 0), Tensor("b", "U8", (20, 2), file, 0, (1, 20))]
    os.truncate(tmp_path / "stored", 39)
    for one in tensors:
        with pytest.raises(SubjectError, match="ended while it was read"):
            write_safetensors(tmp_path / "out.safetensors", [one])
    assert [path.name for path in tmp_path.iterdir()] == ["stored"]


def test_a_disk_that_is_too_small_is_told_before(file: WeightsFile, tmp_path: Path) -> None:
    large = Tensor("a", "U8", (1 << 60,), file, 0, (0,))
    with pytest.raises(OSError, match="No space left") as caught:
        write_safetensors(tmp_path / "out.safetensors", [large])
    assert caught.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ["stored"]


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o777, 0o644), (0o400, 0o600)]
)
def test_the_copy_is_no_more_open_than_what_it_is_of(mode: int, expected: int, tmp_path: Path) -> None:
    (tmp_path / "stored").write_bytes(bytes(4))
    (tmp_path / "stored").chmod(mode)
    with WeightsFile(tmp_path / "stored", "stored") as file:
        write_safetensors(tmp_path / "out.safetensors", [Tensor("a", "F32", (1,), file, 0)])
    assert stat.S_IMODE((tmp_path / "out.safetensors").stat().st_mode) == expected


# -- what is shared


def converted(path: Path, *, shared_once: bool = False) -> dict[str, str]:
    """Names to shapes, and what the metadata say, of what a checkpoint becomes."""
    target = path.with_suffix(".safetensors")
    with open_weights(path) as weights:
        convert(weights, target, shared_once=shared_once)
    with safe_open(target, "np") as opened:
        shapes = {name: str(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118  no dict
        return shapes | {f"metadata {key}": value for key, value in opened.metadata().items()}


def test_shared_tensors_are_written_for_each_name_or_once(tmp_path: Path) -> None:
    tensors = {
        "b": tensor(), "a": tensor(), "part": tensor((2, 4)), "turned": tensor((4, 3), (1, 4)),
        "format": tensor(), "none": tensor((0,), (1,)), "nothing": tensor((0,), (1,)),
    }  # fmt: skip
    path = zipped(tmp_path / "m.pt", entries(tensors))
    rest = {
        "b": "[3, 4]", "part": "[2, 4]", "turned": "[4, 3]", "format": "[3, 4]", "none": "[0]",
        "nothing": "[0]", "metadata format": "pt",
    }  # fmt: skip
    assert converted(path) == {**rest, "a": "[3, 4]"}
    assert converted(path, shared_once=True) == {**rest, "metadata a": "b"}


MANY = {"0": bytes(1 << 20)}
LARGE = storage(count=1 << 18)


def test_a_small_file_cannot_fill_the_disk(tmp_path: Path) -> None:
    few = {str(index): tensor((1 << 18,), (1,), of=LARGE) for index in range(68)}
    many = few | {"last": tensor((1 << 18,), (1,), of=LARGE)}
    assert len(converted(zipped(tmp_path / "few.pt", entries(few), MANY))) == 68 + 1
    with pytest.raises(LimitError, match=r"1,0\d\d,\d\d\d bytes would become 72,351,744") as caught:
        converted(zipped(tmp_path / "many.pt", entries(many), MANY))
    assert "--shared-once" in caught.value.remedy
    assert not (tmp_path / "many.safetensors").exists()
    assert len(converted(tmp_path / "many.pt", shared_once=True)) == 1 + 68 + 1


@pytest.mark.parametrize("shared_once", [True, False])
def test_an_expanded_tensor_cannot_fill_the_disk(shared_once: bool, tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.pt", entries({"a": tensor((1 << 33,), (0,))}))
    with pytest.raises(LimitError, match="would become 34,359,738,368") as caught:
        converted(path, shared_once=shared_once)
    assert "before they were expanded" in caught.value.remedy
    assert converted(zipped(tmp_path / "n.pt", entries({"a": tensor((1 << 20,), (0,))})))["a"] == "[1048576]"


def test_plain_values_are_in_the_metadata(tmp_path: Path) -> None:
    root = entries({"w": tensor(), "epoch": integer(3), "tags": list_of(text("a\ud7ff"), text("\x00"))})
    found = converted(zipped(tmp_path / "m.pt", root))
    assert json.loads(found["metadata assay.values"]) == {"epoch": 3, "tags": ["a\ud7ff", "\x00"]}


@pytest.mark.parametrize("write", [save_file, None])
def test_a_name_with_an_at_is_no_doubled_tensor(
    write: Callable[[dict[str, object], Path], None] | None, tmp_path: Path
) -> None:
    if write:
        write({"a @ b": np.zeros(3)}, tmp_path / "m.safetensors")
    else:
        zipped(tmp_path / "m.pt", entries({"a @ b": tensor()}))
    path = next(tmp_path.iterdir())
    with open_weights(path) as weights:
        assert convert(weights, tmp_path / "out.safetensors").tensors == 1
