"""Archives and compressed files: opened by content, with bounds, their members examined in turn."""

from __future__ import annotations

import bz2
import lzma
import mmap
import struct
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.core.errors import LimitError, SubjectError
from assay.core.finding import Finding
from assay.subjects.archives.zip_directory import DEFLATED, STORED, ZipMember, read_directory

CHUNK = 1 << 20
MAX_DICTIONARY = 512 << 20  # bytes that an LZMA stream may make us set aside
Examine = Callable[[Blob, Outcome], None]
_BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, tarfile.TarError, MemoryError)


class Unpacker:
    """Unpacks into unnamed temporary files in the workspace, within one budget for the whole scan.

    Threads share it.
    """

    def __init__(self, workspace: str, options: ArtifactScanOptions) -> None:
        self._workspace = workspace
        self._options = options
        self._left = options.max_unpacked
        self._spending = threading.Lock()

    def gzip_like(self, blob: Blob, kind: str, examine: Examine, outcome: Outcome) -> None:
        """Examine what a compressed file holds."""
        makers: dict[str, Callable[[], Any]] = {
            "gzip": lambda: zlib.decompressobj(31),
            "bzip2": bz2.BZ2Decompressor,
            "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DICTIONARY),
            "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_DICTIONARY),
            "zlib": zlib.decompressobj,
        }
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            try:
                self._expand(_packed(blob.data, blob.start, blob.end), makers[kind], blob.size, file)
            except (*_BROKEN, LimitError) as error:
                outcome.skip(blob, f"the {kind} data cannot be unpacked: {error}")
            self._examine_file(file, blob, "data", examine, outcome)

    def _expand(self, packed: Iterator[bytes], make: Callable[[], Any], size: int, file: IO[bytes]) -> None:
        machine, total = make(), 0
        for piece in packed:
            data = piece
            while data:
                out = machine.decompress(data, CHUNK)
                total += len(out)
                self._spend(len(out), total, size)
                file.write(out)
                data = getattr(machine, "unconsumed_tail", b"")
                while not machine.eof and not data and len(out) == CHUNK:
                    out = machine.decompress(b"", CHUNK)
                    total += len(out)
                    self._spend(len(out), total, size)
                    file.write(out)
                if machine.eof:
                    data = machine.unused_data
                    machine = make() if data.strip(b"\0") else machine
                    data = data if data.strip(b"\0") else b""
        if not machine.eof:
            raise EOFError("it ends too early")

    def _spend(self, count: int, total: int, packed: int) -> None:
        with self._spending:
            self._left -= count
            spent = self._left < 0
        if spent:
            raise LimitError(f"more than {self._options.max_unpacked:,} bytes unpacked")
        if total > CHUNK and total > self._options.max_ratio * max(packed, 1):
            raise LimitError(f"it unpacks to more than {self._options.max_ratio} times its size")

    def _examine_file(
        self, file: IO[bytes], blob: Blob, member: str, examine: Examine, outcome: Outcome
    ) -> None:
        file.flush()
        size = file.tell()
        name = _inside(blob, member)
        with _mapped(file.fileno(), size) as data:
            if data is None:
                return
            examine(Blob(data, file.fileno(), 0, size, blob.path, name, blob.depth + 1), outcome)

    def zip(self, blob: Blob, examine: Examine, outcome: Outcome) -> bool:
        """Examine the members of a zip; whether it is PyTorch's.

        Only what a PyTorch zip's pickle names as a storage of just that size is raw numbers and left alone.
        """
        try:
            directory = read_directory(blob.data, blob.start, blob.end)
        except SubjectError as error:
            outcome.skip(blob, f"the zip cannot be read: {error.cause}")
            return False
        for problem in directory.problems:
            outcome.findings.append(
                rules.ARCHIVE.finding(f"The zip is inconsistent: {problem}.", blob.place())
            )
        if len(directory.members) > self._options.max_members:
            outcome.skip(blob, f"the zip has more than {self._options.max_members:,} members")
            return False
        pickles = [m for m in directory.members if PurePosixPath(m.name).name == "data.pkl"]
        for member in pickles:
            _traversal(blob, member.name, outcome)
            self._zip_member(blob, member, examine, outcome)
        storages = {
            m.name[: -len("data.pkl")] + "data/" + key: size
            for m in pickles
            for key, size in outcome.storages.get(f"{blob.path}!/{_inside(blob, m.name)}", {}).items()
        }
        for member in directory.members:
            if member in pickles or (member.name.endswith("/") and member.size == 0):
                continue
            _traversal(blob, member.name, outcome)
            plain = member.method == STORED and not member.encrypted and member.size == member.packed
            if not plain or storages.get(member.name) != member.size:
                self._zip_member(blob, member, examine, outcome)
        return bool(pickles)

    def _zip_member(self, blob: Blob, member: ZipMember, examine: Examine, outcome: Outcome) -> None:
        name = _inside(blob, member.name)
        inner = Blob(
            blob.data, blob.fd, member.start, member.start + member.packed, blob.path, name, blob.depth + 1
        )
        if member.encrypted:
            message = f"Member {member.name[:100]!r} is marked as encrypted; some readers ignore the mark."
            outcome.findings.append(rules.ARCHIVE.finding(message, inner.place()))
            outcome.skip(inner, "the member is encrypted")
        if member.method == STORED:
            if zlib.crc32(memoryview(blob.data)[inner.start : inner.end]) != member.crc:
                outcome.findings.append(_crc(inner, member))
            examine(inner, outcome)
            return
        makers: dict[int, Callable[[], Any]] = {
            DEFLATED: lambda: zlib.decompressobj(-15),
            12: bz2.BZ2Decompressor,
            14: _ZipLzma,
        }
        if member.method not in makers:
            outcome.skip(inner, f"packed by method {member.method}, which is not judged by this version")
            return
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            try:
                packed = _packed(blob.data, inner.start, inner.end)
                self._expand(packed, makers[member.method], member.packed, file)
            except (*_BROKEN, LimitError) as error:
                outcome.skip(inner, f"the member cannot be unpacked: {error}")
            file.flush()
            with _mapped(file.fileno(), file.tell()) as data:
                if data is None:
                    outcome.skip(inner, "the member is empty")
                    return
                if zlib.crc32(data) != member.crc or len(data) != member.size:
                    outcome.findings.append(_crc(inner, member))
                unpacked = Blob(data, file.fileno(), 0, len(data), blob.path, name, blob.depth + 1)
                examine(unpacked, outcome)

    def tar(self, blob: Blob, examine: Examine, outcome: Outcome) -> None:
        """Examine the members of a tar; they are regions of the same file."""
        count = 0
        try:
            with blob_file(blob) as file, tarfile.TarFile(fileobj=file) as archive:
                for member in archive:
                    count += 1
                    if count > self._options.max_members:
                        raise LimitError("the tar has too many members")  # noqa: TRY301  one place tells it
                    _traversal(blob, member.name, outcome)
                    name = _inside(blob, member.name)
                    start = blob.start + member.offset_data
                    inner = Blob(
                        blob.data, blob.fd, start, start + member.size, blob.path, name, blob.depth + 1
                    )
                    if member.issym() or member.islnk():
                        _traversal(blob, member.linkname, outcome)
                    elif member.isreg() and not member.sparse and inner.end <= blob.end:
                        examine(inner, outcome)
                    elif not member.isdir():
                        outcome.skip(inner, "a member that is no plain file")
        except (*_BROKEN, LimitError) as error:
            outcome.skip(blob, f"the tar cannot be read to its end: {error}")


class _ZipLzma:
    """LZMA as zips hold it (APPNOTE 5.8.8): version, length of the properties, properties, raw LZMA1."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data if self._inner else b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        if self._inner is None:
            self._head += data
            if len(self._head) < 9:  # noqa: PLR2004  two shorts, one byte, one long
                return b""
            _, length, packed, dictionary = struct.unpack_from("<HHBL", self._head)
            if length != 5 or packed >= 9 * 5 * 5 or dictionary > MAX_DICTIONARY:  # noqa: PLR2004
                raise lzma.LZMAError("its properties are not judged")
            rest, lc = divmod(packed, 9)
            chain = {
                "id": lzma.FILTER_LZMA1,
                "dict_size": dictionary,
                "lc": lc,
                "lp": rest % 5,
                "pb": rest // 5,
            }
            self._inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
            data = self._head[9:]
        return self._inner.decompress(data, limit)


@contextmanager
def blob_file(blob: Blob) -> Iterator[IO[bytes]]:
    """The region as a file of its own position, without a copy."""
    yield _Window(blob)  # type: ignore[misc]


class _Window:
    """Just enough of a file for `tarfile`."""

    mode = "rb"
    name = ""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        start = self._blob.start + self._at
        end = self._blob.end if size < 0 else min(self._blob.end, start + size)
        self._at += max(0, end - start)
        return bytes(self._blob.data[start:end]) if end > start else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._at, 2: self._blob.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def _mapped(fd: int, size: int) -> Iterator[mmap.mmap | None]:
    if size == 0:
        yield None
        return
    data = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
    yield data  # not closed by hand: views of it may outlive this


def _packed(data: mmap.mmap, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield bytes(data[at : min(at + CHUNK, end)])


def _inside(blob: Blob, member: str) -> str:
    """The path of a member of `blob` through all archives."""
    return f"{blob.member}!/{member}" if blob.member else member


def _traversal(blob: Blob, name: str, outcome: Outcome) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
        message = f"Member {name[:100]!r} leaves the folder it is unpacked to."
        outcome.findings.append(rules.TRAVERSAL.finding(message, blob.place()))


def _crc(blob: Blob, member: ZipMember) -> Finding:
    message = f"Member {member.name[:100]!r} does not have the size or CRC-32 that the directory states."
    return rules.ARCHIVE.finding(message, blob.place())
