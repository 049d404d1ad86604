"""Unpacks compressed bytes into unnamed temporary files, within one budget for the whole scan."""

from __future__ import annotations

import bz2
import lzma
import mmap
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.core.errors import LimitError

CHUNK = 1 << 20
MAX_DICTIONARY = 512 << 20  # bytes that an LZMA stream may make us set aside
BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError)


class Decompressor(Protocol):
    """What `bz2`, `lzma` and `zlib` decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream came to its end."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""

    def decompress(self, data: bytes, limit: int, /) -> bytes:
        """At most `limit` bytes more."""


MAKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DICTIONARY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_DICTIONARY),
    "zlib": zlib.decompressobj,
    "deflate": lambda: zlib.decompressobj(-15),
}


class Unpacker:
    """Unpacks into the workspace. Threads share it, and its budget."""

    def __init__(self, workspace: str, options: ArtifactScanOptions) -> None:
        self._workspace = workspace
        self._options = options
        self._left = options.max_unpacked
        self._spending = threading.Lock()

    @contextmanager
    def unpacked(
        self, blob: Blob, member: str, make: Callable[[], Decompressor]
    ) -> Iterator[tuple[Blob | None, str]]:
        """What `blob` unpacks to as a region of its own, called `member` inside it, and why not all of it.

        The region is None where nothing came out. What came out before an error is there.
        """
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            reason = ""
            try:
                self.expand(pieces(blob), make, blob.size, file)
            except (*BROKEN, LimitError) as error:
                reason = str(error) or type(error).__name__
            with self.written(file, blob, member) as inner:
                yield inner, reason

    @contextmanager
    def temporary(self) -> Iterator[IO[bytes]]:
        """An unnamed file in the workspace."""
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            yield file

    @contextmanager
    def written(self, file: IO[bytes], blob: Blob, member: str) -> Iterator[Blob | None]:
        """What was written to `file`, as a region called `member` inside `blob`; None where it is empty."""
        file.flush()
        size = file.tell()
        if size == 0:
            yield None
            return
        # Not closed by hand: views of it may outlive this.
        data = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        yield Blob(data, file.fileno(), 0, size, blob.path, blob.inside(member), blob.depth + 1)

    def expand(
        self, packed: Iterator[bytes], make: Callable[[], Decompressor], size: int, file: IO[bytes]
    ) -> None:
        """Unpack all streams of `packed`, which has `size` bytes, into `file`.

        Raises:
            LimitError: the budget of the scan, or the ratio, is used up.
            OSError, EOFError, ValueError, zlib.error, lzma.LZMAError: the data are damaged.
        """
        machine, total = make(), 0
        for piece in packed:
            data = piece
            while data:
                out = machine.decompress(data, CHUNK)
                total += self._write(out, total, size, file)
                data = getattr(machine, "unconsumed_tail", b"")
                while not machine.eof and not data and len(out) == CHUNK:
                    out = machine.decompress(b"", CHUNK)
                    total += self._write(out, total, size, file)
                if machine.eof:
                    data = machine.unused_data
                    machine = make() if data.strip(b"\0") else machine
                    data = data if data.strip(b"\0") else b""
        if not machine.eof:
            raise EOFError("it ends too early")

    def _write(self, out: bytes, total: int, packed: int, file: IO[bytes]) -> int:
        self.spend(len(out), total + len(out), packed)
        file.write(out)
        return len(out)

    def spend(self, count: int, total: int, packed: int) -> None:
        """Take `count` bytes from the budget, where `total` came out of `packed` so far.

        Raises:
            LimitError: nothing is left, or the ratio is beyond what is allowed.
        """
        with self._spending:
            self._left -= count
            spent = self._left < 0
        if spent:
            raise LimitError(f"more than {self._options.max_unpacked:,} bytes unpacked")
        if total > CHUNK and total > self._options.max_ratio * max(packed, 1):
            raise LimitError(f"it unpacks to more than {self._options.max_ratio} times its size")


def pieces(blob: Blob) -> Iterator[bytes]:
    """The bytes of a region, a megabyte at a time."""
    for at in range(blob.start, blob.end, CHUNK):
        yield bytes(blob.data[at : min(at + CHUNK, blob.end)])
