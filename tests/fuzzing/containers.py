"""Archives and compressed files with pickles inside, mutilated, and what the usual readers see in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from fuzzing.pickle_programs import mutilate

BENIGN = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."
PAYLOAD = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError, RuntimeError, LookupError,
           NotImplementedError, zlib.error, lzma.LZMAError, MemoryError, AttributeError,
           TypeError)  # fmt: skip


def generate(rng: random.Random) -> bytes:
    """One container, mutilated nine times in ten."""
    content = rng.choice([BENIGN, PAYLOAD])
    data = rng.choice(_MAKERS)(rng, content)
    for _ in range(rng.randrange(10) and rng.randrange(1, 3)):
        data = mutilate(rng, data)
    return data


def contents(data: bytes, depth: int = 0) -> list[bytes]:
    """What Python's own readers take out of `data`, itself included."""
    found = [data]
    if depth > 2:
        return found
    for read in (_zip, _tar, gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        try:
            inside = read(data)
        except _BROKEN:
            continue
        for one in inside if isinstance(inside, list) else [inside]:
            found += contents(one, depth + 1)
    return found


def _zip(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        read = []
        for member in archive.infolist()[:20]:
            try:
                read.append(archive.read(member))
            except _BROKEN:
                continue
        return read


def _tar(data: bytes) -> list[bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [member for member in archive if member.isreg() and member.size < 1 << 20]
        return [opened.read() for member in members[:20] if (opened := archive.extractfile(member))]


def _make_zip(rng: random.Random, content: bytes) -> bytes:
    buffer = io.BytesIO()
    method = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in rng.sample(
            ["archive/data.pkl", "archive/version", "archive/data/0", "a.pkl", "b.bin"], 3
        ):
            archive.writestr(name, content if name.endswith(("pkl", "bin")) else b"3\n")
    return buffer.getvalue()


def _make_tar(_: random.Random, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("pickle", "note.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _make_npz(_: random.Random, content: bytes) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, numbers=np.arange(5.0), objects=np.array([{"a": 1}], dtype=object))
    return (
        buffer.getvalue().replace(b"PK\x05\x06", content + b"PK\x05\x06", 1)
        if len(content) % 2
        else buffer.getvalue()
    )


def _packed(rng: random.Random, content: bytes) -> bytes:
    inner = rng.choice([content, _make_tar(rng, content), _make_zip(rng, content)])
    pack = rng.choice(_PACKERS)
    return pack(inner)


_PACKERS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress, zlib.compress]


_MAKERS = [_make_zip, _make_zip, _make_tar, _make_npz, _packed]
