"""What the scanners are timed on."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np

SMALL, MANY = 500, 10_000


def large_pickle(path: Path, megabytes: int) -> int:
    """A list of small dicts of that size, protocol 4; how many there are."""
    count = 2_000_000 * megabytes // 191
    rows = [{"id": i, "name": f"item-{i}", "score": i * 0.5, "tags": f"{i:052d}"} for i in range(count)]
    with path.open("wb") as file:
        pickle.dump(rows, file, 4)
    return count


def torch_zip(path: Path, megabytes: int) -> None:
    """A PyTorch zip with one storage of that size, written by hand."""
    count = megabytes << 18
    body = (
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
        b"FloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + pickle.dumps(count, 2)[2:-1]
        + b"tQK\x00" + pickle.dumps((count,), 2)[2:-1] + b"K\x01\x85\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip
    noise = hashlib.shake_256(b"weights").digest(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", body)
        archive.writestr("archive/byteorder", b"little")
        with archive.open("archive/data/0", "w", force_zip64=True) as storage:
            for _ in range(megabytes):
                storage.write(noise)
        archive.writestr("archive/version", b"3\n")


def small_pickles(folder: Path) -> None:
    """Five hundred pickles of a kilobyte."""
    folder.mkdir()
    for index in range(SMALL):
        (folder / f"{index}.pkl").write_bytes(pickle.dumps({"weights": [index * 0.5] * 100}, 4))


def many_files(folder: Path) -> None:
    """Ten thousand files as a repository of models has them, a quarter of each kind."""
    header = b'{"a":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}'
    safetensors = len(header).to_bytes(8, "little") + header + bytes(64)
    array = io.BytesIO()
    np.save(array, np.arange(200.0))
    for number in range(MANY // 4):
        part = folder / f"{number % 50}"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{number}.pkl").write_bytes(pickle.dumps({"weights": [number * 0.5] * 100}, 4))
        (part / f"{number}.npy").write_bytes(array.getvalue())
        (part / f"{number}.safetensors").write_bytes(safetensors)
        (part / f"{number}.json").write_text(json.dumps({"model_type": "llama", "hidden_size": number}))
