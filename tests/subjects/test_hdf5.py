"""The superblock as we parse it, and the child that reads the rest."""

from __future__ import annotations

import mmap
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import SubjectError
from assay.subjects.hdf5.reader import Limits, read_hdf5
from assay.subjects.hdf5.records import Hdf5Record
from assay.subjects.hdf5.superblock import SIGNATURE, Superblock, find_signature, read_superblock
from fixtures.hdf5_files import hdf5, keras_weights


@contextmanager
def opened(content: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.fileno()


def read(content: bytes, limits: Limits | None = None) -> Hdf5Record:
    with opened(content) as fd:
        return read_hdf5(fd, 0, len(content), limits)


def superblock(version: int, width: int, end: int) -> bytes:
    """A superblock as the specification draws it."""
    words = bytes(width) + b"\xff" * width + end.to_bytes(width, "little") + b"\xff" * width
    if version < 2:
        head = bytes([version, 0, 0, 0, 0, width, 8, 0]) + bytes(8 if version == 0 else 12)
        return SIGNATURE + head + words
    return SIGNATURE + bytes([version, width, 8, 0]) + words


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("width", [2, 4, 8])
@pytest.mark.parametrize("before", [0, 512, 4096])
def test_superblock_of_every_version(version: int, width: int, before: int) -> None:
    content = bytes(before) + superblock(version, width, 5000)
    assert read_superblock(b"xx" + content, 2, 2 + len(content)) == Superblock(version, 2 + before, 5002)
    whole = before + len(superblock(version, width, 5000)) - width
    for length in range(whole):
        with pytest.raises(SubjectError):
            read_superblock(content[:length], 0, length)


@pytest.mark.parametrize("at", [1, 256, 513, 1536])
def test_signature_elsewhere_does_not_count(at: int) -> None:
    content = bytes(at) + SIGNATURE + bytes(100)
    assert find_signature(content, 0, len(content)) == -1


@given(st.binary(max_size=200))
def test_any_superblock_is_read_or_refused(content: bytes) -> None:
    data = SIGNATURE + content
    try:
        found = read_superblock(data, 0, len(data))
    except SubjectError:
        return
    assert 0 <= found.version <= 3


def test_superblock_of_real_files() -> None:
    for layout in ("earliest", "latest"):
        for before in (0, 512, 1024):
            content = hdf5(keras_weights, libver=layout, userblock_size=before)
            found = read_superblock(content, 0, len(content))
            assert (found.start, found.end) == (before, len(content))


def test_region_of_a_larger_file() -> None:
    content = hdf5(lambda file: file.attrs.update({"a": "text"}))
    with opened(b"before" + content + b"after") as fd:
        record = read_hdf5(fd, 6, len(content))
    assert [(text.place, text.value) for text in record.texts] == [("@a", b"text")]
    assert (record.groups, record.datasets, record.incomplete) == (1, 0, ())


def test_child_is_confined() -> None:
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}:
        pytest.skip("seccomp is used on Linux x86-64 and aarch64")
    assert read(hdf5(keras_weights)).notes == ()


def test_text_from_another_file_never_comes_back() -> None:
    h5py = pytest.importorskip("h5py")
    with tempfile.NamedTemporaryFile(suffix=".h5") as secret:
        secret.write(hdf5(lambda file: file.create_dataset("words", data=["secret"])))
        secret.flush()

        def fill(file: Any) -> None:
            file.create_dataset("words", (1,), "S6", external=[(secret.name, 0, 6)])
            layout = h5py.VirtualLayout((1,), h5py.string_dtype())
            layout[:] = h5py.VirtualSource(secret.name, "words", (1,))
            file.create_virtual_dataset("virtual", layout)
            file["link"] = h5py.ExternalLink(secret.name, "/words")

        record = read(hdf5(fill))
    assert {link.kind for link in record.links} == {"storage", "virtual", "external"}
    assert (record.texts, record.incomplete) == ((), ())


def test_limits_are_told() -> None:
    many = hdf5(lambda file: [file.attrs.update({f"a{at}": "x" * 100}) for at in range(20)])
    assert read(many).incomplete == ()
    assert "more text than is read" in read(many, Limits(text=1_000)).incomplete[0]
    assert read(many, Limits(events=5)).incomplete == ("more is in it than is listened to",)
    words = hdf5(lambda file: file.create_dataset("w", data=np.zeros(10, "S1000"), compression="gzip"))
    assert read(words, Limits(memory=1 << 20, text=1 << 30)).incomplete


def test_arrays_of_words_are_joined_and_single_values_are_not() -> None:
    def fill(file: Any) -> None:
        file.attrs["list"] = np.array([b"a", b"b"])
        file.attrs["one"] = b"a\xff"
        file.create_group("g\udce9".encode("utf-8", "surrogateescape")).attrs["x"] = "y"

    texts = read(hdf5(fill)).texts
    assert [(t.name, t.value, t.single) for t in texts[:2]] == [
        ("list", b"a\nb", False),
        ("one", b"a\xff", True),
    ]
    assert texts[2].path == "/g\\xe9"


def test_window_never_leaves_its_region() -> None:
    pytest.importorskip("h5py")
    from assay.subjects.hdf5.child.window import Window  # noqa: PLC0415  as the child imports it

    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        window = Window(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), 2, 6)
        assert (window.read(), window.seek(0, 2), window.read(5)) == (b"2345", 4, b"")
        window.seek(3)
        buffer = bytearray(4)
        assert (window.readinto(buffer), bytes(buffer), window.tell()) == (1, b"5\0\0\0", 4)
        with pytest.raises(PermissionError):
            window.write(b"x")
        with pytest.raises(PermissionError):
            window.truncate()
