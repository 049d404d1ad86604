"""Unpacks compressed bytes into unnamed temporary files, within one budget for the whole scan."""

from __future__ import annotations

import bz2
import lzma
import mmap
import re
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.next_steps import raised
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.core.errors import LimitError
from assay.subjects.archives.optional_codecs import MissingCodecError, lz4_decompressor, zstd_decompressor

CHUNK = 1 << 20
MAX_DICTIONARY = 512 << 20  # bytes that an LZMA stream may make us set aside
MARK = 8  # bytes that tell whether a further stream follows
BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError, MissingCodecError)


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


class TrailingError(ValueError):
    """Bytes that are no further stream follow the end of the last one.

    Args:
        left: how many they are, up to the end of what was packed.
    """

    def __init__(self, left: int) -> None:
        super().__init__(f"{left:,} bytes follow the end of its data")
        self.left = left


MAKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DICTIONARY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_DICTIONARY),
    "zlib": zlib.decompressobj,
    "deflate": lambda: zlib.decompressobj(-15),
    "zstd": zstd_decompressor,
    "lz4": lz4_decompressor,
}
# What a further stream in the same file starts with. Formats that are not here are one stream.
CONTINUED = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh"),
    "xz": re.compile(rb"\xfd7zXZ"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18|[\x50-\x5f]\x2a\x4d\x18"),
}


class Unpacker:
    """Unpacks into the workspace. Threads share it, and its budget: `left`, in bytes."""

    def __init__(self, workspace: str, options: ArtifactScanOptions) -> None:
        self._workspace = workspace
        self._options = options
        self.left = options.max_unpacked
        self._spending = threading.Lock()

    @contextmanager
    def unpacked(
        self,
        blob: Blob,
        member: str,
        make: Callable[[], Decompressor],
        continued: re.Pattern[bytes] | None = None,
    ) -> Iterator[tuple[Blob | None, Exception | None]]:
        """What `blob` unpacks to as a region of its own, called `member` inside it, and why not all of it.

        The region is None where nothing came out. What came out before an error is there. `continued` is what
        a further stream starts with, where there may be several.
        """
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            reason: Exception | None = None
            try:
                self.expand(pieces(blob), make, blob.size, file, continued)
            except (*BROKEN, LimitError) as error:
                reason = error
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
        self,
        packed: Iterator[bytes],
        make: Callable[[], Decompressor],
        size: int,
        file: IO[bytes],
        continued: re.Pattern[bytes] | None = None,
    ) -> None:
        """Unpack all streams of `packed`, which has `size` bytes, into `file`.

        Raises:
            LimitError: the budget of the scan, or the ratio, is used up.
            TrailingError: bytes that start no further stream follow the last one; all before is unpacked.
            MissingCodecError: the library that unpacks this is not installed.
            OSError, EOFError, ValueError, zlib.error, lzma.LZMAError: the data are damaged.
        """
        machine, total, taken, waiting = make(), 0, 0, b""
        for piece in packed:
            taken += len(piece)
            data = waiting + piece
            waiting = b""
            while data:
                if machine.eof:
                    data = data.lstrip(b"\0")  # padding
                    if len(data) < MARK and taken < size:
                        waiting = data
                        break
                    if not data:
                        break
                    if continued is None or not continued.match(data):
                        raise TrailingError(len(data) + size - taken)
                    machine = make()
                data, total = self._step(machine, data, total, size, file)
        if not machine.eof:
            raise EOFError("it ends too early")

    def _step(
        self, machine: Decompressor, data: bytes, total: int, size: int, file: IO[bytes]
    ) -> tuple[bytes, int]:
        """Give `data` to a stream; what it did not take, and how much came out so far."""
        out = machine.decompress(data, CHUNK)
        total += self._write(out, total, size, file)
        left = getattr(machine, "unconsumed_tail", b"")
        while not machine.eof and not left and len(out) == CHUNK:
            out = machine.decompress(b"", CHUNK)
            total += self._write(out, total, size, file)
        return (machine.unused_data if machine.eof else left), total

    def _write(self, out: bytes, total: int, packed: int, file: IO[bytes]) -> int:
        self.spend(len(out), total + len(out), packed)
        file.write(out)
        return len(out)

    def take(self, count: int) -> None:
        """Take from the budget what was unpacked elsewhere."""
        with self._spending:
            self.left -= count

    def spend(self, count: int, total: int, packed: int) -> None:
        """Take `count` bytes from the budget, where `total` came out of `packed` so far.

        Raises:
            LimitError: nothing is left, or the ratio is beyond what is allowed.
        """
        with self._spending:
            self.left -= count
            spent = self.left < 0
        if spent:
            reason = f"more than {self._options.max_unpacked:,} bytes unpacked"
            raise LimitError(reason, remedy=raised("max_unpacked"))
        if total > CHUNK and total > self._options.max_ratio * max(packed, 1):
            reason = f"it unpacks to more than {self._options.max_ratio} times its size"
            raise LimitError(reason, remedy=raised("max_ratio"))


def pieces(blob: Blob) -> Iterator[bytes]:
    """The bytes of a region, a megabyte at a time."""
    for at in range(blob.start, blob.end, CHUNK):
        yield bytes(blob.data[at : min(at + CHUNK, blob.end)])
