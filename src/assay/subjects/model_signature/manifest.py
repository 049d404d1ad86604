"""The signed list of files: an in-toto statement with the Model Signing predicate.

v1.0 (`https://model_signing/signature/v1.0`) lists files, or shards of files, in the predicate, and its one
subject is the SHA-256 over their digests in order. v0.1 (`https://model_signing/Digests/v0.1`) has a subject
a file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.errors import SubjectError
from assay.core.evidence import PAYLOAD_TYPE, STATEMENT
from assay.core.strict_json import MalformedError, parse_object
from assay.subjects.model_signature.bundle import MAX_BUNDLE

PREDICATE = "https://model_signing/signature/v1.0"
LEGACY_PREDICATE = "https://model_signing/Digests/v0.1"
SINGLE_FILE = "."
MAX_RESOURCES = 1_000_000
# Name in the manifest to digest size in bytes; `blake2` is the name in the package's own options.
ALGORITHMS = {"sha256": 32, "blake2b": 64, "blake2": 64, "blake3": 32}
_ALGORITHM = re.compile(r"([a-z0-9]{1,20})(-sharded-[0-9]{1,18})?")
_SHARD = re.compile(r"(.+):([0-9]{1,18}):([0-9]{1,18})", re.DOTALL)
_HEX = re.compile(r"([0-9a-fA-F]{2}){1,128}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `start` to `end` of a file (`end` None: all of it), and their digest."""

    start: int
    end: int | None
    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """What was signed.

    Attributes:
        model: the signer's name for it.
        files: POSIX path to the pieces that make up the file, in order.
        ignored: paths that the signer left out, as written.
        sharded: whether files were hashed in shards; empty files are then not listed.
        links: whether the signer allowed links.
        root: SHA-256 over the digests, or "" in v0.1.
        legacy: whether it is v0.1.
        unsupported: digest algorithms that we do not know.
    """

    model: str
    files: Mapping[str, tuple[Piece, ...]]
    ignored: tuple[str, ...]
    sharded: bool
    links: bool
    root: str
    legacy: bool
    unsupported: tuple[str, ...]

    @property
    def single_file(self) -> bool:
        """Whether one file was signed by itself, and no folder."""
        return SINGLE_FILE in self.files


def parse_manifest(payload_type: str, payload: bytes, *, source: str = "") -> SignedManifest:
    """Read the statement in a bundle.

    Raises:
        SubjectError: it is no Model Signing statement, contradicts itself, or names unsafe paths.
    """
    try:
        return _parsed(payload_type, payload)
    except MalformedError as error:
        raise SubjectError(str(error), subject=source, remedy="Sign the model again.") from error


def _parsed(payload_type: str, payload: bytes) -> SignedManifest:
    if payload_type != PAYLOAD_TYPE:
        raise MalformedError("what it signs is not an in-toto statement")
    statement = parse_object(payload, limit=MAX_BUNDLE, what="statement")
    if statement.get("_type") != STATEMENT:
        raise MalformedError("what it signs is not an in-toto Statement v1")
    subjects = _list(statement.get("subject"), "the statement's subjects")
    kind = statement.get("predicateType")
    if kind == LEGACY_PREDICATE:
        return _legacy(subjects)
    if kind != PREDICATE:
        raise MalformedError(f"it makes another statement than a model's signature: {str(kind)[:80]!r}")
    if len(subjects) != 1:
        raise MalformedError("a model's signature has one subject")
    return _current(_mapping(subjects[0], "the subject"), _mapping(statement.get("predicate"), "predicate"))


def _current(subject: Mapping[str, Any], predicate: Mapping[str, Any]) -> SignedManifest:
    how = _mapping(predicate.get("serialization"), "serialization")
    method = how.get("method")
    if method not in {"files", "shards"}:
        raise MalformedError(f"its files are listed in an unknown way: {str(method)[:40]!r}")
    resources = [_mapping(r, "a resource") for r in _list(predicate.get("resources"), "its resources")]
    root = hashlib.sha256()
    pieces: list[tuple[str, Piece]] = []
    for resource in resources:
        name, piece = _piece(resource, sharded=method == "shards")
        root.update(piece.digest)
        pieces.append((name, piece))
    stated = _mapping(subject.get("digest"), "the subject's digest").get("sha256")
    if stated != root.hexdigest():
        raise MalformedError("its root digest is not that of the files it lists")
    ignored = how.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(path, str) for path in ignored):
        raise MalformedError("its ignored paths are no list of texts")
    return _manifest(pieces, subject, root.hexdigest(), ignored, how.get("allow_symlinks") is True)


def _legacy(subjects: Sequence[Any]) -> SignedManifest:
    pieces = []
    for item in subjects:
        subject = _mapping(item, "a subject")
        digest = _mapping(subject.get("digest"), "a digest").get("sha256")
        resource = {"name": subject.get("name"), "algorithm": "sha256", "digest": digest}
        pieces.append(_piece(resource, sharded=False))
    return _manifest(pieces, {}, "", [], links=False)


def _manifest(
    pieces: Sequence[tuple[str, Piece]],
    subject: Mapping[str, Any],
    root: str,
    ignored: Sequence[str],
    links: bool,  # noqa: FBT001  one of the predicate's fields
) -> SignedManifest:
    files: dict[str, list[Piece]] = {}
    for name, piece in pieces:
        files.setdefault(name, []).append(piece)
    sharded = any(piece.end is not None for _, piece in pieces)
    unsupported = sorted({p.algorithm for _, p in pieces if p.algorithm not in ALGORITHMS})
    return SignedManifest(
        model=str(subject.get("name", ""))[:200],
        files={name: _whole(name, parts) for name, parts in files.items()},
        ignored=tuple(ignored),
        sharded=sharded,
        links=links,
        root=root,
        legacy=not root,
        unsupported=tuple(unsupported),
    )


def _piece(resource: Mapping[str, Any], *, sharded: bool) -> tuple[str, Piece]:
    name, algorithm, digest = (resource.get(key) for key in ("name", "algorithm", "digest"))
    if not isinstance(name, str) or not isinstance(algorithm, str) or not isinstance(digest, str):
        raise MalformedError("a resource lacks its name, algorithm or digest")
    known = _ALGORITHM.fullmatch(algorithm)
    if not known or not _HEX.fullmatch(digest):
        raise MalformedError(f"the digest of {name[:80]!r} is not a digest")
    value = bytes.fromhex(digest)
    if len(value) != ALGORITHMS.get(known[1], len(value)):
        raise MalformedError(f"the digest of {name[:80]!r} is of the wrong size")
    start, end = 0, None
    if sharded:
        shard = _SHARD.fullmatch(name)
        if not shard:
            raise MalformedError(f"{name[:80]!r} is not the name of a shard")
        name, start, end = shard[1], int(shard[2]), int(shard[3])
    _require_safe(name)
    return name, Piece(start, end, known[1], value)


def _whole(name: str, parts: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces in order; together they must be the file, each byte once."""
    ordered = tuple(sorted(parts, key=lambda piece: piece.start))
    if len(ordered) == 1 and ordered[0].end is None:
        return ordered
    at = 0
    for piece in ordered:
        if piece.end is None or piece.start != at or piece.end <= at:
            raise MalformedError(f"{name[:80]!r} is listed twice, or its shards leave bytes out")
        at = piece.end
    return ordered


def _require_safe(name: str) -> None:
    if name == SINGLE_FILE:
        return
    parts = name.split("/")
    if "\0" in name or any(part in {"", ".", ".."} for part in parts):
        raise MalformedError(
            f"it lists a path that leaves its folder or has a second spelling: {name[:80]!r}"
        )


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_RESOURCES:
        raise MalformedError(f"{what} are no list, empty, or more than {MAX_RESOURCES:,}")
    return value


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is not a JSON object")
    return value
