"""SHA-256 of files and folders, at disk speed.

A folder is described as OpenSSF Model Signing v1.0 does (method `files`): every regular file below it, by its
POSIX path relative to the folder, ordered path part by path part, with its SHA-256. Two digests come of it:

* `sha256`: SHA-256 over the canonical JSON of that manifest. It binds names and bytes, and is Assay's
  name for the folder.
* `oms-root`: the root digest that a Model Signing bundle carries as its subject. It hashes the file
  digests alone, so two folders whose files swap names can share it; it is kept to match bundles made
  elsewhere (docs/adr/001-folder-digest.md).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.core.canonical import JSON, canonical_digest
from assay.core.errors import LimitError, SubjectError
from assay.core.folders import irregular, is_folder, leads_outside, link_to_folder, unreadable

CHUNK = 8 << 20  # large, so that a thread that hashes seldom waits for one that runs Python
MAX_FILES = 1_000_000
LARGE = 1 << 20  # bytes from which a thread of its own is worth it
# What Model Signing leaves out by default; the manifest says so. `artifact.scan` examines it all the same.
IGNORED = (".git", ".gitattributes", ".github", ".gitignore", "model.sig")


@dataclass(frozen=True, slots=True)
class FileDigest:
    """One file of a manifest: POSIX path relative to the folder, SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a folder, sorted by name, and what was left out by rule."""

    files: tuple[FileDigest, ...]
    ignored: tuple[str, ...] = IGNORED

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Digest over names and bytes: the canonical JSON of the Model Signing predicate."""
        return canonical_digest(self.predicate())

    @property
    def oms_root(self) -> str:
        """Root digest as a Model Signing bundle states it (file digests alone, in order)."""
        return hashlib.sha256(b"".join(bytes.fromhex(f.sha256) for f in self.files)).hexdigest()

    def predicate(self) -> dict[str, JSON]:
        """The predicate of `https://model_signing/signature/v1.0` for this folder."""
        return {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": True,
                "ignore_paths": list(self.ignored),
            },
            "resources": [{"name": f.name, "algorithm": "sha256", "digest": f.sha256} for f in self.files],
        }


def sha256_file(path: Path) -> FileDigest:
    """Hash one regular file.

    Raises:
        SubjectError: it cannot be read, is not a regular file, or changed while it was read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        # O_NONBLOCK: opening a FIFO that took a file's place must not hang.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as file:  # noqa: PTH123  from a descriptor
            before = os.fstat(fd)
            _require_regular(path, before.st_mode)
            buffer = bytearray(min(CHUNK, max(before.st_size + 1, 1 << 16)))
            view = memoryview(buffer)
            while count := file.readinto(buffer):
                digest.update(view[:count])
                size += count
            after = os.fstat(fd)
    except OSError as error:
        raise unreadable(path, error) from error
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise SubjectError(
            "changed while it was read",
            subject=str(path),
            remedy="Stop the writer, then run again.",
        )
    return FileDigest(path.name, digest.hexdigest(), size)


def hash_folder(
    folder: Path, *, ignored: tuple[str, ...] = IGNORED, without_outside: bool = False
) -> Manifest:
    """Hash every file below `folder`, in parallel.

    Links to files are followed and hashed under their own name (model hubs lay caches out so); links to
    folders are refused, because what they reach is outside what a manifest can say.

    Args:
        folder: what to hash.
        ignored: names that are left out.
        without_outside: leave out links to folders outside of `folder` as well, rather than refuse them; the
            manifest names each among what it ignores. For whoever reports them.

    Raises:
        SubjectError: a file cannot be read, or is a device, socket, pipe or link to a folder.
        LimitError: more than a million files.
    """
    outside: list[str] | None = [] if without_outside else None
    names = files_below(folder, ignored=ignored, outside=outside)
    if not names:
        raise SubjectError("the folder holds no files", subject=str(folder), remedy="Check the path.")
    hashed = _hash_all([folder / name for name in names])
    return Manifest(
        tuple(FileDigest(n, h.sha256, h.size) for n, h in zip(names, hashed, strict=True)),
        (*ignored, *sorted(outside or ())),
    )


def _hash_all(paths: Sequence[Path]) -> Iterator[FileDigest]:
    """The digests of files, in their order: large ones by threads, the others beside them by this one.

    Threads that hash small files only wait for each other: each holds the interpreter most of the time.
    """
    large = [path for path in paths if _is_large(path)]
    if not large:
        yield from map(sha256_file, paths)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  start-up

    workers = min(32, (os.cpu_count() or 1) + 2)
    with ThreadPoolExecutor(workers) as pool:
        begun = {path: pool.submit(sha256_file, path) for path in large}
        done = [None if path in begun else sha256_file(path) for path in paths]
        for path, digest in zip(paths, done, strict=True):
            yield digest or begun[path].result()


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size >= LARGE
    except OSError:
        return False  # hashing it says what is wrong


def files_below(
    folder: Path, *, ignored: tuple[str, ...] = IGNORED, outside: list[str] | None = None
) -> list[str]:
    """The files that a manifest of `folder` lists, in its order.

    Args:
        folder: where to look.
        ignored: names that are left out.
        outside: takes the names of links to folders outside of `folder`, which are refused without it.

    Raises:
        SubjectError, LimitError: as `hash_folder`.
    """
    # By path and not by text, as Model Signing sorts: `b/c` before `b.txt`.
    return sorted(_walk(folder, ignored, outside), key=lambda name: name.split("/"))


def stamp(location: Path) -> str:
    """A digest over what the file system says of every file and folder: place, size, time of last change.

    Two stamps that differ, taken before hashing and after a check, show that something was written in
    between, even where the bytes were put back: a change time cannot be set back. Equal stamps are no
    proof: a folder above `location` could have been swapped.

    Raises:
        SubjectError: a file went away.
    """
    names = [""]
    if location.is_dir():
        files = sorted(_walk(location, IGNORED, []))
        folders = {str(folder) for name in files for folder in PurePosixPath(name).parents}
        names = sorted({*folders, *files})
    digest = hashlib.sha256()
    for name in names:
        path = location / name if name else location
        try:
            for facts in (path.lstat(), path.stat()):
                seen = (name, facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns)
                digest.update(repr(seen).encode())
        except OSError as error:
            raise unreadable(path, error) from error
    return digest.hexdigest()


def _walk(folder: Path, ignored: tuple[str, ...], outside: list[str] | None = None) -> Iterator[str]:
    count = 0
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(folder / prefix) as entries:
                listed = list(entries)
        except OSError as error:
            raise unreadable(folder / prefix, error, done="listed") from error
        for entry in listed:
            name = prefix + entry.name
            if name in ignored:
                continue
            count += 1
            if count > MAX_FILES:
                raise LimitError(
                    f"more than {MAX_FILES:,} files and folders",
                    subject=str(folder),
                    remedy="Name a subfolder.",
                )
            if entry.is_dir(follow_symlinks=False):
                pending.append(name + "/")
                continue
            linked = entry.is_symlink() and is_folder(entry.path)
            if linked and (outside is None or not leads_outside(Path(entry.path), folder)):
                raise link_to_folder(folder / name)
            if not name.isprintable() and not _encodable(name):
                raise SubjectError(
                    "its name is not UTF-8, so no manifest can hold it",
                    subject=ascii(str(folder / name)),
                    remedy="Rename the file.",
                )
            if linked and outside is not None:
                outside.append(name)
            else:
                yield name


def _encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise irregular(path, mode)
