"""PyTorch checkpoints as weights, written by hand, opcode by opcode: reading one needs no torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assay.checks.finetuning.weights_diff import WeightsDiff
from assay.core.check import Context
from assay.core.errors import SubjectError
from assay.core.report import Status
from assay.core.subject import Subject
from assay.subjects.weights import open_weights
from fixtures.opcodes import call, text
from fixtures.torch_pickles import entries, tensor, zipped

BASE = np.arange(12, dtype=np.float32).reshape(3, 4)


def plain(path: Path, numbers: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = BASE) -> Path:
    return zipped(path, entries({"w": tensor()}), {"0": numbers.tobytes()})


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth"])
def test_a_checkpoint_is_a_mapping_of_tensors(tmp_path: Path, name: str) -> None:
    plain(tmp_path / name)
    for subject in (tmp_path / name, tmp_path):
        with open_weights(subject) as weights:
            found = weights.tensors["w"]
            assert (found.dtype, found.shape, found.contiguous) == ("F32", (3, 4), True)
            assert found.gather() == BASE.tobytes()


def test_transposed_tensors_are_read_through_their_strides(tmp_path: Path) -> None:
    turned = {"w": tensor((4, 3), (1, 4)), "v": tensor((3,), (4,), 1)}
    zipped(tmp_path / "m.pt", entries(turned), {"0": BASE.tobytes()})
    with open_weights(tmp_path / "m.pt") as weights:
        assert weights.tensors["w"].gather() == BASE.T.tobytes()
        assert np.frombuffer(weights.tensors["v"].gather(), "<f4").tolist() == [1, 5, 9]


def test_a_checkpoint_compares_with_safetensors(tmp_path: Path) -> None:
    plain(tmp_path / "m.pt")
    save_file({"w": BASE}, tmp_path / "m.safetensors")
    candidate, baseline = (Subject.from_path(tmp_path / f"m.{end}") for end in ("pt", "safetensors"))
    report = WeightsDiff().run(candidate, Context(tmp_path, {}, baseline))
    assert report.status is Status.PASS
    assert report.metrics["changed_tensors"] == 0
    assert report.metrics["compared"] is True


def test_another_layout_of_the_same_numbers_is_no_change(tmp_path: Path) -> None:
    plain(tmp_path / "a.pt")
    turned = np.ascontiguousarray(BASE.T)
    zipped(tmp_path / "b.pt", entries({"w": tensor((3, 4), (1, 3))}), {"0": turned.tobytes()})
    first, second = (Subject.from_path(tmp_path / name) for name in ("a.pt", "b.pt"))
    report = WeightsDiff().run(second, Context(tmp_path, {}, first))
    assert (report.status, report.metrics["changed_tensors"]) == (Status.PASS, 0)


def test_shards_of_a_checkpoint_are_one_model(tmp_path: Path) -> None:
    zipped(tmp_path / "p-1.bin", entries({"a": tensor()}))
    zipped(tmp_path / "p-2.bin", entries({"b": tensor()}))
    index = {"weight_map": {"a": "p-1.bin", "b": "p-2.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with open_weights(tmp_path) as weights:
        assert (sorted(weights.tensors), weights.problems) == (["a", "b"], [])


def test_the_same_weights_in_two_formats_are_both_examined(tmp_path: Path) -> None:
    plain(tmp_path / "pytorch_model.bin")
    save_file({"w": BASE}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert sorted(weights.tensors) == ["w", "w @ pytorch_model.bin"]
        assert weights.problems == []


def test_a_payload_is_refused_and_never_run(tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    payload = call("posix.system", text(f"touch {tripwire}")) + b"0"
    zipped(tmp_path / "m.pt", payload + entries({"w": tensor()}))
    with pytest.raises(SubjectError):
        open_weights(tmp_path / "m.pt")
    assert not tripwire.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02", b"garbage"])
def test_what_is_no_checkpoint_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(SubjectError):
        open_weights(tmp_path / "m.bin")
