"""Archives: a pickle, packed in every way, and archives whose readers disagree."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from checks.packaging.test_artifact_scan_archives import ZIP_TWINS
from fixtures import seven_zip
from fixtures.archive_attacks import TAR, tar_tricks, zip_tricks
from fixtures.archives import Member, handmade_zip, old_tar, real_tar, real_zip, streamed_zip
from fixtures.torch_zip import legacy_checkpoint, write_checkpoint

from .cases import Case, cases

_CALL = b"cos\nsystem\n(S'id'\ntR"
BAD = b"\x80\x02" + _CALL + b"."
GOOD = pickle.dumps({"weights": list(range(300))})
_TENSORS = {"a": np.arange(12, dtype="f4").reshape(3, 4), "b": np.zeros(64, "i8")}
_DATA, _VERSION = "archive/data.pkl", ("archive/version", b"3\n")


def containers() -> Iterator[Case]:
    """Each with a pickle that attacks and with one that does not."""
    for attack, payload in ((True, BAD), (False, GOOD)):
        for file, packed in _packed(payload).items():
            yield Case("containers", file, {file.rpartition(" ")[2]: packed}, attack)
    yield from _checkpoints()
    for name, content in _tricks().items():
        yield Case("containers", name, {"model.pt": content}, attack=True)
    yield from _contradictions()


def _packed(payload: bytes) -> dict[str, bytes]:
    """By what it is and the name of the file."""
    zipped = real_zip(("inner.pkl", payload))
    member = ("inner.pkl", payload)
    made = {
        "extension model.bin": payload,
        "extension model.pth": payload,
        "extension model.ckpt": payload,
        "extension model.dat": payload,
        "extension model.joblib": payload,
        "no extension model": payload,
        "zip model.zip": zipped,
        "zip of another name model.p": zipped,
        "deflated zip model.zip": real_zip(member, method=zipfile.ZIP_DEFLATED),
        "bzip2 zip model.zip": real_zip(member, method=zipfile.ZIP_BZIP2),
        "lzma zip model.zip": real_zip(member, method=zipfile.ZIP_LZMA),
        "zip with descriptors model.zip": streamed_zip(member),
        "zip in zip model.zip": real_zip(("in.zip", zipped)),
        "torch zip model.pt": real_zip((_DATA, payload), _VERSION),
        "torch zip, other member model.pt": real_zip((_DATA, GOOD), ("archive/config.p", payload), _VERSION),
        "torch zip, any member model.pt": real_zip((_DATA, GOOD), ("archive/extra", payload), _VERSION),
        "tar model.tar": real_tar(member),
        "tar as torch model.pt": real_tar(member),
        "old tar model.tar": old_tar((b"m.pkl", payload)),
        "gzip model.pkl.gz": gzip.compress(payload),
        "gzip as joblib model.joblib": gzip.compress(payload),
        "zlib model.joblib": zlib.compress(payload),
        "bzip2 model.pkl.bz2": bz2.compress(payload),
        "xz model.pkl.xz": lzma.compress(payload),
        "tar.gz model.tar.gz": gzip.compress(real_tar(("a.zip", zipped))),
        "npy model.npy": _npy(payload),
        "npz model.npz": real_zip(("x.npy", _npy(payload))),
    }
    for codec in ("copy", "deflate", "bzip2", "lzma2", "x86"):
        made[f"7z by {codec} model.7z"] = seven_zip.write([member], codec)
    return made


def _npy(payload: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + payload


def _checkpoints() -> Iterator[Case]:
    """What torch.save writes, with and without a call."""
    yield Case("containers", "legacy torch", {"model.pt": legacy_checkpoint(_TENSORS)}, attack=False)
    for place in ("between", "inside", "after"):
        content = legacy_checkpoint(_TENSORS, **{place: BAD})
        yield Case("containers", f"legacy torch, {place}", {"model.pt": content}, attack=True)
    with tempfile.TemporaryDirectory() as folder:
        for attack in (True, False):
            file = Path(folder) / "model.pt"
            write_checkpoint(file, _TENSORS, payload=_CALL + b"0" if attack else None)
            yield Case("containers", "state dict", {"model.pt": file.read_bytes()}, attack)


def _tricks() -> dict[str, bytes]:
    """PyTorch zips that load, or that some loader opens, and that hide their pickle from others."""
    name = _DATA.encode()
    made: dict[str, bytes] = {
        "CVE-2025-1944 local name": handmade_zip([Member(name, BAD, local_name=b"archive/date.pkl")]),
        "CVE-2025-10156 crc": handmade_zip([Member(name, BAD, crc=7)]),
        "7z as torch": seven_zip.write([(_DATA, BAD)]),
        "prepended": handmade_zip([Member(name, BAD)], prefix=b"words and "),
        "appended": handmade_zip([Member(name, BAD)]) + b" and words",
        "twice": handmade_zip([Member(name, GOOD), Member(name, BAD)]),
        "unlisted": handmade_zip([Member(name, GOOD), Member(b"c.pkl", BAD, listed=False)]),
        "behind numpy": b"\x93NUMPY\1\0" + real_zip((_DATA, BAD)),
        "behind gguf": b"GGUF" + real_zip((_DATA, BAD)),
        "behind a program": b"\x7fELF" + real_zip((_DATA, BAD)),
        "pickle before a zip": BAD + real_zip(("a.txt", b"hi")),
        "zip after a pickle": GOOD + real_zip(("a.pkl", BAD)),
    }
    for flags in (1, 0x20, 0x40, 0x2000):
        made[f"CVE-2025-1945 flag {flags:#x}"] = handmade_zip([Member(name, BAD, flags=flags)])
    return made


def _contradictions() -> Iterator[Case]:
    """Archives without any code, whose readers see different things: a way to hide some."""
    group = "contradictory archives"
    yield from cases(group, "x.zip", zip_tricks(), attack=True)
    yield from cases(group, "x.zip", ZIP_TWINS, attack=False)
    yield from cases(
        group, "x.tar", {f"tar, {name}": content for name, (content, _) in tar_tricks().items()}, attack=True
    )
    yield from cases(group, "x.tar", {"plain tar": TAR}, attack=False)
    leaving = {
        name: handmade_zip([Member(name.encode(), b"x")]) for name in ("../a", "/etc/a", "..\\a", "C:a")
    }
    yield from cases(
        group,
        "x.zip",
        {f"leaves by {name}".replace("/", "|"): raw for name, raw in leaving.items()},
        attack=True,
    )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.ones(3), b=np.zeros((2, 2), "f4"))
    yield from cases(group, "x.npz", {"real npz": buffer.getvalue()}, attack=False)
