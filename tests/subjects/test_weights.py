"""Opening weights: single files, shards, and everything that can be wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assay.core.errors import AssayError, LimitError, SubjectError
from assay.subjects.weights import Tensor, WeightsFile, open_weights

ONE = np.arange(6, dtype=np.float32).reshape(2, 3)


def shards(folder: Path, files: dict[str, list[str]], weight_map: dict[str, str] | None = None) -> Path:
    """A sharded model; `weight_map` is the index when it is not the truth."""
    for file, names in files.items():
        save_file(dict.fromkeys(names, ONE), folder / file)
    truth = {name: file for file, names in files.items() for name in names}
    index = {"metadata": {"total_size": 0}, "weight_map": truth if weight_map is None else weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_a_file_is_a_mapping_of_tensors(tmp_path: Path) -> None:
    save_file({"a": ONE, "b": np.zeros(0, np.int8)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path / "model.safetensors") as weights:
        tensor = weights.tensors["a"]
        view = bytearray(12)
        tensor.read_into(12, memoryview(view))
        assert (tensor.dtype, tensor.shape, tensor.numel, tensor.contiguous) == ("F32", (2, 3), 6, True)
        assert np.frombuffer(view, np.float32).tolist() == [3, 4, 5]
        assert tensor.gather() == ONE.tobytes()
        assert (weights.tensors["b"].numel, weights.tensors["b"].gather()) == (0, b"")
        assert (weights.size, weights.problems, weights.unreadable) == (24, [], [])


def test_shards_are_one_model(tmp_path: Path) -> None:
    shards(tmp_path, {"m-1.safetensors": ["a", "b"], "m-2.safetensors": ["c"]})
    with open_weights(tmp_path) as weights:
        assert {name: t.file.name for name, t in weights.tensors.items()} == {
            "a": "m-1.safetensors",
            "b": "m-1.safetensors",
            "c": "m-2.safetensors",
        }
        assert weights.problems == []


def test_subfolders_are_opened_under_their_name(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / ".git").mkdir()
    save_file({"a": ONE}, tmp_path / "unet" / "model.safetensors")
    save_file({"b": ONE}, tmp_path / ".git" / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert list(weights.tensors) == ["unet/a"]


def test_a_missing_shard_is_an_error(tmp_path: Path) -> None:
    shards(tmp_path, {"m-1.safetensors": ["a"]}, {"a": "m-1.safetensors", "b": "m-2.safetensors"})
    with pytest.raises(SubjectError) as caught:
        open_weights(tmp_path)
    assert "m-2.safetensors" in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("files", "weight_map", "problem"),
    [
        ({"m-1.safetensors": ["a"], "m-2.safetensors": ["a"]}, None, "stands in both"),
        ({"m-1.safetensors": ["a"]}, {"a": "m-1.safetensors", "z": "m-1.safetensors"}, "no shard holds"),
        (
            {"m-1.safetensors": ["a"], "m-2.safetensors": ["b"]},
            {"a": "m-1.safetensors", "b": "m-1.safetensors"},
            "m-2.safetensors holds it",
        ),
        ({"m-1.safetensors": ["a", "b"]}, {"a": "m-1.safetensors"}, "does not name"),
    ],
)
def test_an_index_that_disagrees_is_a_problem(
    tmp_path: Path, files: dict[str, list[str]], weight_map: dict[str, str] | None, problem: str
) -> None:
    shards(tmp_path, files, weight_map)
    with open_weights(tmp_path) as weights:
        assert any(problem in said for said in weights.problems)


def test_both_tensors_of_a_name_are_kept(tmp_path: Path) -> None:
    shards(tmp_path, {"m-1.safetensors": ["a"], "m-2.safetensors": ["a"]})
    with open_weights(tmp_path) as weights:
        assert list(weights.tensors) == ["a", "a @ m-2.safetensors"]


def test_an_index_with_very_many_lies_says_so_briefly(tmp_path: Path) -> None:
    lies = {f"z{i}": "m-1.safetensors" for i in range(5000)}
    shards(tmp_path, {"m-1.safetensors": ["a"]}, {"a": "m-1.safetensors"} | lies)
    with open_weights(tmp_path) as weights:
        assert len(weights.problems) == 101
        assert weights.problems[-1].endswith("4,900 more disagreements")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "[" * 99_999]
)
def test_a_broken_index_is_an_error(tmp_path: Path, text: str) -> None:
    shards(tmp_path, {"m-1.safetensors": ["a"]})
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(SubjectError, match="not an index"):
        open_weights(tmp_path)


def test_an_index_may_not_leave_its_folder(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    save_file({"b": ONE}, tmp_path / "outside.safetensors")
    shards(model, {"m-1.safetensors": ["a"]}, {"a": "m-1.safetensors", "b": "../outside.safetensors"})
    with pytest.raises(SubjectError, match="missing"):
        open_weights(model)


def test_a_folder_without_weights_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SubjectError, match="no weights") as caught:
        open_weights(tmp_path)
    assert caught.value.remedy


def test_weights_in_other_formats_are_named(tmp_path: Path) -> None:
    save_file({"a": ONE}, tmp_path / "model.safetensors")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with open_weights(tmp_path) as weights:
        assert [u.name for u in weights.unreadable] == ["model.gguf"]


HOSTILE = {
    "empty": b"",
    "short": b"\x08\0\0",
    "truncated header": (1000).to_bytes(8, "little") + b'{"a":',
    "header of 2^63": (1 << 63).to_bytes(8, "little") + b"{}",
    "not JSON": (4).to_bytes(8, "little") + b"{no}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    for subject in (path, tmp_path):
        with pytest.raises(SubjectError):
            open_weights(subject)


def test_tensors_beyond_the_end_are_never_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": ONE, "b": ONE}, path)
    path.write_bytes(path.read_bytes()[:-8])
    try:
        with open_weights(path) as weights:
            assert weights.unreadable or weights.problems
            assert all(t.offset + 24 <= path.stat().st_size for t in weights.tensors.values())
    except SubjectError:
        pass  # refused as a whole: as good


def test_one_broken_file_among_good_ones_is_named(tmp_path: Path) -> None:
    save_file({"a": ONE}, tmp_path / "model.safetensors")
    (tmp_path / "second.safetensors").write_bytes(b"\x08\0\0")
    with open_weights(tmp_path) as weights:
        assert list(weights.tensors) == ["a"]
        assert [u.name for u in weights.unreadable] == ["second.safetensors"]


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(SubjectError, match="not a regular file"):
        open_weights(tmp_path / "model.safetensors")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="cannot be read"):
        open_weights(tmp_path / "none.safetensors")


def test_a_file_that_shrinks_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": np.zeros(100_000, np.float32)}, path)
    with open_weights(path) as weights:
        os.truncate(path, 4096)
        with pytest.raises(SubjectError, match="truncated or being written"):
            weights.tensors["a"].read_into(0, memoryview(bytearray(400_000)))


def raw_tensor(path: Path, numbers: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    path.write_bytes(np.arange(numbers, dtype="<i4").tobytes())
    return Tensor("t", "I32", shape, WeightsFile(path, path.name), 0, stride)


@pytest.mark.parametrize(
    ("shape", "stride", "layout", "expected"),
    [
        ((2, 3), (3, 1), (0, 1), [0, 1, 2, 3, 4, 5]),
        ((2, 3), (1, 2), (1, 0), [0, 2, 4, 1, 3, 5]),
        ((2, 3), (6, 2), (), [0, 2, 4, 6, 8, 10]),
        ((2, 3), (0, 1), (), [0, 1, 2, 0, 1, 2]),
        ((1, 3), (99, 1), (1,), [0, 1, 2]),
        ((), (), (0,), [0]),
    ],
)
def test_strides_are_followed(
    tmp_path: Path,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    layout: tuple[int, ...],
    expected: list[int],
) -> None:
    tensor = raw_tensor(tmp_path / "raw", 12, shape, stride)
    assert tensor.layout == layout
    assert np.frombuffer(tensor.gather(), "<i4").tolist() == expected
    tensor.file.close()


@pytest.mark.parametrize(("shape", "stride"), [((1 << 40,), (0,)), ((2,), (1 << 50,)), ((3,), (-1,))])
def test_hostile_strides_are_refused(tmp_path: Path, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
    tensor = raw_tensor(tmp_path / "raw", 4, shape, stride)
    with tensor.file, pytest.raises(LimitError):
        tensor.gather()


def test_files_are_closed(tmp_path: Path) -> None:
    save_file({"a": ONE}, tmp_path / "model.safetensors")
    weights = open_weights(tmp_path)
    weights.close()
    weights.close()
    with pytest.raises(AssayError):
        weights.tensors["a"].read_into(0, memoryview(bytearray(4)))
