"""The signed list of files against the files that are there."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from assay.core.digest import CHUNK, IGNORED, files_below
from assay.core.errors import SubjectError
from assay.subjects.model_signature.manifest import SINGLE_FILE, Piece, SignedManifest

# Never signed unless the list says otherwise: what git keeps beside a model.
UNSIGNED_BY_RULE = tuple(name for name in IGNORED if name.startswith(".git"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is there and what was signed; all paths are relative and sorted.

    Attributes:
        matched: files that are byte for byte what was signed.
        changed: files with other bytes.
        removed: files that were signed and are not there.
        added: files that are there, were not signed, and that the signer did not leave out.
        ignored: files that are there and that the signer left out by name.
        unread: files whose digest is of an algorithm that is not to be had here.
        links: files that are links.
        partial: only one file of a signed folder was looked at.
    """

    matched: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    partial: bool = False

    @property
    def equal(self) -> bool:
        """Whether every byte that is there is a byte that was signed."""
        return not (self.changed or self.removed or self.added or self.unread)


def compare(
    location: Path, manifest: SignedManifest, *, bundle: Path, step: Callable[[int, int], None]
) -> Comparison:
    """Hash what lies at `location` and compare it with what was signed.

    Args:
        location: the model, a folder or a file.
        manifest: what was signed.
        bundle: the signature's own file, which cannot be in the list.
        step: told after each file how many of how many are done; may raise.

    Raises:
        SubjectError: a file cannot be read, or is a device, socket, pipe or link to a folder.
    """
    if not location.is_dir():
        return _compare_file(location, manifest, step)
    present = set(_present(location, manifest, bundle))
    listed = {name for name in manifest.files if name != SINGLE_FILE}
    both = sorted(present & listed)
    outcomes = _hashed(location, both, manifest.files, step)
    extra = sorted(present - listed)
    if manifest.sharded:  # a file of no bytes has no shards, so none is listed
        extra = [name for name in extra if not _empty(location / name)]
    ignored = left_out(extra, manifest.ignored)
    return replace(
        outcomes,
        removed=tuple(sorted(set(manifest.files) - present)),
        added=tuple(name for name in extra if name not in ignored),
        ignored=tuple(name for name in extra if name in ignored),
        links=tuple(name for name in both if (location / name).is_symlink()),
    )


def left_out(names: Sequence[str], ignored: Sequence[str]) -> set[str]:
    """Those of `names` that the signer left out, by their own paths or by that of a folder above them."""
    spelled = {path.removeprefix("./").rstrip("/") for path in ignored}
    above = {name: {name, *map(str, PurePosixPath(name).parents)} - {"."} for name in names}
    return {name for name, paths in above.items() if paths & spelled}


def inside(folder: Path, bundle: Path) -> tuple[str, ...]:
    """The bundle's own path below `folder`, in one entry, or none where it lies elsewhere."""
    place, base = bundle.absolute().parent.resolve() / bundle.name, folder.resolve()
    return (place.relative_to(base).as_posix(),) if place.is_relative_to(base) else ()


def _empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False  # it went away, or leads nowhere: to be told, not passed over


def supported(algorithm: str) -> bool:
    """Whether digests of that algorithm can be computed here."""
    return algorithm in {"sha256", "blake2b", "blake2"} or (
        algorithm == "blake3" and find_spec("blake3") is not None
    )


def _compare_file(location: Path, manifest: SignedManifest, step: Callable[[int, int], None]) -> Comparison:
    name = SINGLE_FILE if manifest.single_file else location.name
    if name not in manifest.files:
        return Comparison(added=(location.name,))
    outcomes = _hashed(location.parent, [location.name], {location.name: manifest.files[name]}, step)
    return replace(outcomes, partial=name != SINGLE_FILE)


def _present(folder: Path, manifest: SignedManifest, bundle: Path) -> list[str]:
    by_rule = tuple(rule for rule in UNSIGNED_BY_RULE if not _lists(manifest, rule))
    return files_below(folder, ignored=(*by_rule, *inside(folder, bundle)))


def _lists(manifest: SignedManifest, rule: str) -> bool:
    return any(name == rule or name.startswith(rule + "/") for name in manifest.files)


def _hashed(
    folder: Path,
    names: Sequence[str],
    files: Mapping[str, Sequence[Piece]],
    step: Callable[[int, int], None],
) -> Comparison:
    found: dict[str, list[str]] = {"matched": [], "changed": [], "unread": []}
    workers = min(32, (os.cpu_count() or 1) + 2)
    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda name: _outcome(folder / name, files[name]), names)
        for done, (name, outcome) in enumerate(zip(names, outcomes, strict=True), 1):
            found[outcome].append(name)
            step(done, len(names))
    return Comparison(tuple(found["matched"]), tuple(found["changed"]), unread=tuple(found["unread"]))


def _outcome(path: Path, pieces: Sequence[Piece]) -> str:
    if not all(supported(piece.algorithm) for piece in pieces):
        return "unread"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as file:  # noqa: PTH123  from a descriptor
            state = os.fstat(fd)
            if not stat.S_ISREG(state.st_mode):
                raise SubjectError("not a regular file", subject=str(path))
            same = all(_digest(file, piece) == piece.digest for piece in pieces)
            whole = same and not file.read(1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SubjectError(f"cannot be read: {reason}", subject=str(path)) from error
    return "matched" if whole else "changed"


def _digest(file: Any, piece: Piece) -> bytes:
    digest = _hasher(piece.algorithm)
    for block in _blocks(file, None if piece.end is None else piece.end - piece.start):
        digest.update(block)
    return bytes(digest.digest())


def _blocks(file: Any, size: int | None) -> Iterator[bytes]:
    left = size
    while left is None or left > 0:
        block = file.read(CHUNK if left is None else min(CHUNK, left))
        if not block:
            return
        left = None if left is None else left - len(block)
        yield block


def _hasher(algorithm: str) -> Any:
    if algorithm == "blake3":
        from blake3 import blake3  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  optional

        return blake3()
    return hashlib.sha256() if algorithm == "sha256" else hashlib.blake2b()
