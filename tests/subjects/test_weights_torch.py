"""PyTorch checkpoints as weights, written by hand, opcode by opcode: reading one needs no torch."""

from __future__ import annotations

import json
import struct
import zipfile
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

BASE = np.arange(12, dtype=np.float32).reshape(3, 4)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", v) for v in values) + b"t"


def tensor(key: str, shape: tuple[int, ...], stride: tuple[int, ...], size: int, offset: int = 0) -> bytes:
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
    storage += b"J" + struct.pack("<i", size) + b"tQ"
    arguments = storage + b"J" + struct.pack("<i", offset) + integers(shape) + integers(stride)
    arguments += b"\x89ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def checkpoint(path: Path, tensors: dict[str, bytes], storages: dict[str, bytes], extra: bytes = b"") -> Path:
    items = b"".join(text(name) + value for name, value in tensors.items())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + extra + b"}(" + items + b"u.")
        archive.writestr("model/byteorder", "little")
        archive.writestr("model/version", "3\n")
        for key, raw in storages.items():
            archive.writestr(f"model/data/{key}", raw)
    return path


def plain(path: Path, numbers: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = BASE) -> Path:
    return checkpoint(path, {"w": tensor("0", (3, 4), (4, 1), 12)}, {"0": numbers.tobytes()})


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth"])
def test_a_checkpoint_is_a_mapping_of_tensors(tmp_path: Path, name: str) -> None:
    plain(tmp_path / name)
    for subject in (tmp_path / name, tmp_path):
        with open_weights(subject) as weights:
            found = weights.tensors["w"]
            assert (found.dtype, found.shape, found.contiguous) == ("F32", (3, 4), True)
            assert found.gather() == BASE.tobytes()


def test_transposed_tensors_are_read_through_their_strides(tmp_path: Path) -> None:
    turned = {"w": tensor("0", (4, 3), (1, 4), 12), "v": tensor("0", (3,), (4,), 12, 1)}
    checkpoint(tmp_path / "m.pt", turned, {"0": BASE.tobytes()})
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
    checkpoint(tmp_path / "b.pt", {"w": tensor("0", (3, 4), (1, 3), 12)}, {"0": turned.tobytes()})
    first, second = (Subject.from_path(tmp_path / name) for name in ("a.pt", "b.pt"))
    report = WeightsDiff().run(second, Context(tmp_path, {}, first))
    assert (report.status, report.metrics["changed_tensors"]) == (Status.PASS, 0)


def test_shards_of_a_checkpoint_are_one_model(tmp_path: Path) -> None:
    checkpoint(tmp_path / "p-1.bin", {"a": tensor("0", (3, 4), (4, 1), 12)}, {"0": BASE.tobytes()})
    checkpoint(tmp_path / "p-2.bin", {"b": tensor("0", (3, 4), (4, 1), 12)}, {"0": BASE.tobytes()})
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
    payload = b"cposix\nsystem\n" + text(f"touch {tripwire}") + b"\x85R0"
    storages = {"w": tensor("0", (3, 4), (4, 1), 12)}
    checkpoint(tmp_path / "m.pt", storages, {"0": BASE.tobytes()}, extra=payload)
    with pytest.raises(SubjectError):
        open_weights(tmp_path / "m.pt")
    assert not tripwire.exists()


def test_tensors_beyond_their_storage_are_never_read(tmp_path: Path) -> None:
    checkpoint(tmp_path / "m.pt", {"w": tensor("0", (3, 4000), (4000, 1), 12)}, {"0": BASE.tobytes()})
    try:
        with open_weights(tmp_path / "m.pt") as weights:
            assert [u.name for u in weights.unreadable] == ["w"]
    except SubjectError:
        pass  # refused as a whole: as good


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02", b"garbage"])
def test_what_is_no_checkpoint_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(SubjectError):
        open_weights(tmp_path / "m.bin")
