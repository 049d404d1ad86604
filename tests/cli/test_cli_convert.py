"""`assay convert`: every number survives, nothing runs, nothing is half-written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from assay.cli.app import run
from fixtures.torch_zip import write_checkpoint

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
def test_what_torch_saved_converts_or_is_named(
    zipped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(5, 3).bfloat16()
    state = {**layer.state_dict(), "turned": torch.arange(6.0).reshape(2, 3).t()}
    torch.save(state, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    target = tmp_path / "model.safetensors"
    code = run(["convert", str(tmp_path / "model.pt"), "-o", str(target)])
    if not zipped:  # the format of PyTorch before 1.6
        assert code == 2
        assert "Save it again with a current torch" in capsys.readouterr().err
        return
    from safetensors.torch import load_file as load_torch  # noqa: PLC0415

    found = load_torch(target)
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_a_shape_and_strides_that_do_not_fit_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fixtures import torch_zip  # noqa: PLC0415

    broken = torch_zip.state_dict_pickle(TENSORS).replace(torch_zip._plain((3, 4)), torch_zip._plain((12,)))
    monkeypatch.setattr(torch_zip, "state_dict_pickle", lambda _: broken)
    write_checkpoint(tmp_path / "model.pt", TENSORS)
    assert run(["convert", str(tmp_path / "model.pt"), "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "'a.weight' cannot be placed in the file" in capsys.readouterr().err
