"""`assay convert`: every number survives, nothing runs, nothing is half-written."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from assay.cli.app import run
from fixtures.archives import real_tar, real_zip
from fixtures.opcodes import call, integer, named, raw, text
from fixtures.torch_containers import old
from fixtures.torch_pickles import entries, tensor, zipped
from fixtures.torch_zip import legacy_checkpoint, state_dict_pickle, write_checkpoint

TENSORS = {
    "flags": np.array([True, False]),
    "bytes": np.arange(3, dtype="i1"),
    "a.weight": np.arange(12, dtype="f4").reshape(3, 4),
    "b.weight": np.linspace(0, 1, 5),
    "empty": np.zeros((0, 3), "f4"),
    "step": np.array(7, "i8"),
}


def test_a_checkpoint_becomes_safetensors_with_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(tmp_path / "model.pt", TENSORS)
    target = tmp_path / "model.safetensors"
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(target)]) == 0
    found = load_file(target)
    assert set(found) == set(TENSORS)
    for name, expected in TENSORS.items():
        assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found[name], expected)
    assert f"{len(TENSORS)} tensors, {target.stat().st_size:,} bytes" in capsys.readouterr().out
    assert run(["scan", str(target)]) == 0


def test_a_payload_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tripwire = tmp_path / "tripwire"
    payload = b"cos\nsystem\n(S'touch %b'\ntR0" % os.fsencode(tripwire)
    write_checkpoint(tmp_path / "model.pt", TENSORS, payload=payload)
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(tmp_path / "out.safetensors")]) == 2
    told = capsys.readouterr().err
    assert "posix.system" in told or "os.system" in told
    assert "assay scan" in told
    assert not tripwire.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_what_exists_is_replaced_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(tmp_path / "model.pt", TENSORS)
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"mine")
    arguments = ["convert", str(tmp_path / "model.pt"), "-o", str(target)]
    assert run(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"
    assert run([*arguments, "--force"]) == 0
    assert len(load_file(target)) == len(TENSORS)


def test_a_name_that_would_lie_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(tmp_path / "model.pt", TENSORS)
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(tmp_path / "model.bin")]) == 2
    assert "must end in .safetensors" in capsys.readouterr().err


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saved_converts(zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(5, 3).bfloat16()
    numbers = torch.arange(12.0).reshape(3, 4)
    state = {
        **layer.state_dict(),
        "turned": torch.arange(6.0).reshape(2, 3).t(),
        "parameter": torch.nn.Parameter(numbers),
        "tied": numbers,
        "rows": numbers[1:],
        "repeated": torch.ones(1, 3).expand(4, 3),
        "empty": torch.zeros(0, 3),
        "step": torch.tensor(7),
    }
    torch.save(state, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    target = tmp_path / "model.safetensors"
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(target)]) == 0
    from safetensors.torch import load_file as load_torch  # noqa: PLC0415

    found = load_torch(target)
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_a_checkpoint_of_before_pytorch_1_6_converts(tmp_path: Path) -> None:
    (tmp_path / "old.pt").write_bytes(legacy_checkpoint(TENSORS))
    assert run(["convert", str(tmp_path / "old.pt"), "-o", str(tmp_path / "new.safetensors")]) == 0
    found = load_file(tmp_path / "new.safetensors")
    assert set(found) == set(TENSORS)
    for name, expected in TENSORS.items():
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"after": b"more"}, "bytes follow the last one"),
        ({"between": b"12345678"}, "does not have the size that its tensors state"),
    ],
)
def test_old_storages_that_do_not_add_up_are_refused(
    change: dict[str, bytes], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.pt").write_bytes(legacy_checkpoint(TENSORS, **change))
    assert run(["convert", str(tmp_path / "old.pt"), "-o", str(tmp_path / "new.safetensors")]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_only_leaves_out_the_rest_and_names_it(
    zipped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tripwire = tmp_path / "tripwire"
    payload = b"cposix\nsystem\n(S'touch %b'\ntR0" % os.fsencode(tripwire)
    file, target = tmp_path / "model.pt", tmp_path / "model.safetensors"
    if zipped:
        write_checkpoint(file, TENSORS, payload=payload)
    else:
        plain = state_dict_pickle(TENSORS).replace(b"tQ", b"NtQ")
        planted = plain[:2] + payload + plain[2:]
        file.write_bytes(legacy_checkpoint(TENSORS).replace(plain, planted))
    assert run(["convert", "--tensors-only", str(file), "-o", str(target)]) == 0
    assert "left out, and never imported: posix.system" in capsys.readouterr().out
    assert set(load_file(target)) == set(TENSORS)
    assert run(["scan", str(target)]) == 0
    assert not tripwire.exists()


def test_tensors_in_objects_have_the_names_of_a_state_dict(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as load_torch  # noqa: PLC0415

    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    torch.save(module, tmp_path / "whole.pt")
    target = tmp_path / "whole.safetensors"
    assert run(["convert", str(tmp_path / "whole.pt"), "-o", str(target)]) == 2
    assert run(["convert", "--tensors-only", str(tmp_path / "whole.pt"), "-o", str(target)]) == 0
    found = load_torch(target)
    assert set(found) == set(module.state_dict())
    assert all(torch.equal(found[name], tensor) for name, tensor in module.state_dict().items())


def test_a_tensor_that_would_be_lost_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fixtures import torch_zip  # noqa: PLC0415

    file = tmp_path / "model.pt"
    write_checkpoint(file, TENSORS)
    lost = torch_zip.state_dict_pickle({"a.weight": TENSORS["a.weight"]})[2:-1]
    write_checkpoint(file, TENSORS, payload=b"cmine\nWrapped\n" + lost + b"\x85R0")
    assert run(["convert", "--tensors-only", str(file), "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "1 of its 7 tensors lie in objects that are not followed" in capsys.readouterr().err


def test_an_estimator_is_refused_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(linear.LinearRegression().fit([[1], [2]], [1, 2])))
    assert run(["convert", str(tmp_path / "model.pkl"), "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "is a pickle of something else, not a PyTorch checkpoint" in (told := capsys.readouterr().err)
    assert "skops or ONNX" in told


def test_a_shape_and_strides_that_do_not_fit_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fixtures import torch_zip  # noqa: PLC0415

    broken = torch_zip.state_dict_pickle(TENSORS).replace(torch_zip._plain((3, 4)), torch_zip._plain((12,)))
    monkeypatch.setattr(torch_zip, "state_dict_pickle", lambda _: broken)
    write_checkpoint(tmp_path / "model.pt", TENSORS)
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "'a.weight' cannot be placed in the file" in capsys.readouterr().err


def test_numbers_beside_tensors_go_into_the_metadata(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zipped(tmp_path / "m.pt", entries({"w": tensor(), "epoch": integer(3), "note": text("\x1b[2J\u202e")}))
    target = tmp_path / "m.safetensors"
    assert run(["convert", str(tmp_path / "m.pt"), "-o", str(target)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["in the metadata: epoch, note"]
    with safe_open(target, "np") as opened:
        metadata = opened.metadata()
    assert metadata["format"] == "pt"
    assert json.loads(metadata["assay.values"]) == {"epoch": 3, "note": "\x1b[2J\u202e"}


def test_what_is_not_in_the_file_is_named_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = {f"log.{index}": text("x" * 1001) for index in range(12)}
    zipped(tmp_path / "m.pt", entries({"w": tensor(), "\x1b[2J": raw(b"raw"), **left}))
    target = tmp_path / "m.safetensors"
    assert run(["convert", str(tmp_path / "m.pt"), "-o", str(target)]) == 4
    told = capsys.readouterr().out.splitlines()[1]
    assert told.startswith(
        "left out: \\x1b[2J (bytes, 3 bytes of it), log.0 (text of 1,001 characters), log.1 ("
    )
    assert told.endswith(" and 3 more")
    assert set(load_file(target)) == {"w"}


def test_with_tensors_only_nothing_else_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zipped(tmp_path / "m.pt", entries({"w": tensor(), "epoch": integer(3), "raw": raw(b"raw")}))
    target = tmp_path / "m.safetensors"
    assert run(["convert", "--tensors-only", str(tmp_path / "m.pt"), "-o", str(target)]) == 0
    told = capsys.readouterr().out.splitlines()[1:]
    assert told == ["left out: epoch (a plain value), raw (bytes, 3 bytes of it)"]
    with safe_open(target, "np") as opened:
        assert opened.metadata() == {"format": "pt"}


def test_shared_tensors_written_once_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zipped(tmp_path / "m.pt", entries({"w": tensor(), "tied": tensor()}))
    target = tmp_path / "m.safetensors"
    assert run(["convert", "--shared-once", str(tmp_path / "m.pt"), "-o", str(target)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{target}: 1 tensor, ")
    assert out[1:] == ["in the metadata as names of other tensors: tied"]


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (entries({"__metadata__": tensor()}), "is named __metadata__"),
        (b"}(X\x04\x00\x00\x00a\xed\xa0\x80" + tensor() + b"u", "[a\\ud800]: has a name that is no valid"),
        (entries({"a.b": tensor(), "a": entries({"b": tensor()})}), "would have the name 'a.b'"),
        (entries({"w": tensor(), "x": named("a\x1b[2J.b")}), "its pickle holds a\\x1b[2J.b, which"),
    ],
)
def test_hostile_names_are_refused_in_plain_words(
    root: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zipped(tmp_path / "m.pt", root)
    assert run(["convert", str(tmp_path / "m.pt"), "-o", str(tmp_path / "m.safetensors")]) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m.pt"]


def npz(packed: bool) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(buffer, a=np.zeros(3))
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (npy(), "is a NumPy array, not a PyTorch checkpoint"),
        (npz(packed=True), "is an archive of NumPy arrays (.npz), not a PyTorch checkpoint"),
        (npz(packed=False), "is an archive of NumPy arrays (.npz), not a PyTorch checkpoint"),
        (pickle.dumps({"w": np.zeros(3)}), "is a pickle of something else, not a PyTorch checkpoint"),
        (pickle.dumps({"w": np.zeros(3)}, 2), "is a pickle of something else, not a PyTorch checkpoint"),
        (gzip.compress(b"x", mtime=0), "is packed with gzip, not a PyTorch checkpoint"),
        (zlib.compress(b"x"), "is packed with zlib, as joblib does it, not a PyTorch checkpoint"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file, not a PyTorch checkpoint"),
        (b"GGUF\x03\x00\x00\x00", "is a GGUF file"),
        (old(), "is a tar as PyTorch before 0.2 wrote them, which is not read here"),
        (real_tar(("model.pt", b"x")), "is a tar, not a PyTorch checkpoint"),
        (real_zip(("config.json", b"{}")), "is a zip without a data.pkl, not a PyTorch checkpoint"),
        (b"no format at all", "is of a format that is not known here, not a PyTorch checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_told_by_what_it_is(
    content: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.pt").write_bytes(content)
    assert run(["convert", str(tmp_path / "m.pt"), "-o", str(tmp_path / "m.safetensors")]) == 2
    cause, step = capsys.readouterr().err.splitlines()
    assert told in cause
    assert step.startswith("  \N{RIGHTWARDS ARROW} ")


def sharded(folder: Path) -> Path:
    """Two shards and their index, with what a trainer leaves beside them; gives the index."""
    shards = {"a": "model-1.bin", "b": "model-2.bin"}
    for name, shard in shards.items():
        zipped(folder / shard, entries({name: tensor(), "epoch": integer(3)}))
    zipped(folder / "training_args.bin", call("transformers.TrainingArguments"))
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 96}, "weight_map": shards}))
    return index


def test_the_shards_of_an_index_become_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index, target = sharded(tmp_path), tmp_path / "model.safetensors"
    assert run(["convert", str(index), "-o", str(target)]) == 0
    assert set(load_file(target)) == {"a", "b"}
    target.unlink()
    capsys.readouterr()
    assert run(["convert", str(tmp_path), "-o", str(target)]) == 2
    told = capsys.readouterr().err
    assert "training_args.bin: its pickle holds transformers.TrainingArguments" in told
    assert "the `.index.json` of its shards" in told
    (tmp_path / "training_args.bin").unlink()
    assert run(["convert", str(tmp_path), "-o", str(target)]) == 0
    assert set(load_file(target)) == {"a", "b"}


def test_an_index_leads_nowhere_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zipped(tmp_path / "secret.bin", entries({"a": tensor()}))
    (tmp_path / "model").mkdir()
    index = tmp_path / "model" / "m.bin.index.json"
    for shard in ("../secret.bin", str(tmp_path / "secret.bin")):
        index.write_text(json.dumps({"weight_map": {"a": shard}}))
        assert run(["convert", str(index), "-o", str(tmp_path / "m.safetensors")]) == 2
        assert "which is missing" in capsys.readouterr().err


def test_shards_that_disagree_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index, target = sharded(tmp_path), tmp_path / "model.safetensors"
    zipped(tmp_path / "model-2.bin", entries({"b": tensor(), "epoch": integer(4)}))
    assert run(["convert", str(index), "-o", str(target)]) == 4
    told = "left out: epoch (of model-2.bin, where another file has another value)"
    assert told in capsys.readouterr().out
    target.unlink()
    zipped(tmp_path / "model-2.bin", entries({"a": tensor()}))
    assert run(["convert", str(index), "-o", str(target)]) == 2
    assert "'a' stands in both model-1.bin and model-2.bin" in capsys.readouterr().err
    assert not target.exists()
