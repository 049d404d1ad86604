"""The interface that every registry fulfils, and what it speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from assay.core.errors import RegistryError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
MAX_VALUE = 5_000
# What a version is cannot be annotated over.
RESERVED = frozenset({"assay.digest", "assay.candidate", "assay.kind"})
BASE = "assay.base"
_SUBJECT = re.compile(r"assay\.([a-z]+)\.sha256")


@dataclass(frozen=True, slots=True)
class Version:
    """A model as it was registered.

    Attributes:
        model: the registered model's name.
        version: its id within the model: "1", "2", … in order of registration.
        digest: SHA-256 that names the bytes (of the file, or of the folder's manifest); "" if Assay did not
            register it.
        candidate: digest of the candidate it was part of; "" as above.
        created_at: UTC.
        annotations: what else is known: `assay.base`, `assay.data.sha256`, `assay.verdict.sha256` …
    """

    model: str
    version: str
    digest: str
    candidate: str
    created_at: datetime
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version was made from.

    Attributes:
        version: the version.
        base: the version that it replaced or was tuned from, if that was recorded and is still there.
        subjects: role (`data`, `environment` …) to the SHA-256 that was checked with it.
    """

    version: Version
    base: Version | None
    subjects: Mapping[str, str]


class Registry(Protocol):
    """Where models live and aliases point.

    Every method raises `RegistryError` when the registry refuses or cannot be reached, and `UsageError` for
    a name that is none.
    """

    def resolve(self, model: str, version: str) -> Path:
        """The local path of a version's bytes, verified against its digest.

        Raises:
            TamperError: the stored bytes are not those that were registered.
            RegistryError: there is no such version, or Assay did not register it.
        """

    def versions(self, model: str) -> tuple[Version, ...]:
        """All versions, oldest first; none for a model that is not there."""

    def create_version(
        self, model: str, source: Path, digest: str, candidate: str, annotations: Mapping[str, str]
    ) -> Version:
        """Register the bytes at `source`; a candidate that is registered already gives its version back.

        Args:
            model: the model's name; it is created when it is new.
            source: a file or folder.
            digest: the SHA-256 of its subject; what is stored is verified against it.
            candidate: the candidate's digest.
            annotations: stored with the version.

        Raises:
            RegistryError: `source` does not have that digest, or could not be stored.
        """

    def get_alias(self, model: str, alias: str) -> Version | None:
        """The version an alias points at, or None."""

    def set_alias(self, model: str, alias: str, version: str, *, expect: str | None) -> None:
        """Point `alias` at `version` if it points at `expect` now; None expects that it is not set.

        Raises:
            ConflictError: it points elsewhere.
        """

    def delete_alias(self, model: str, alias: str, *, expect: str) -> None:
        """Remove `alias` if it points at `expect`.

        Raises:
            ConflictError: it points elsewhere.
        """

    def annotate(self, model: str, version: str, key: str, value: str) -> None:
        """Add or replace an annotation of a version."""

    def lineage(self, model: str, version: str) -> Lineage:
        """What a version was made from, by its annotations."""


def open_registry(kind: str, uri: str) -> Registry:
    """Open the registry at `uri`.

    Args:
        kind: `folder` or `mlflow`.
        uri: a folder's path, or an MLflow tracking URI (`http://`, `https://` or `sqlite:///`).

    Raises:
        UsageError: there is no such kind, or the URI does not fit it.
        RegistryError: MLflow is not installed.
    """
    if kind == "folder":
        from assay.registries.folder import FolderRegistry  # noqa: PLC0415  only what is used

        return FolderRegistry(Path(uri.removeprefix("file://")))
    if kind == "mlflow":
        from assay.registries.mlflow import MlflowRegistry  # noqa: PLC0415  as above

        return MlflowRegistry(uri)
    raise UsageError(f"there is no registry of kind {kind!r}", remedy="Known kinds: folder, mlflow.")


def checked_name(name: str, what: str = "model") -> str:
    """`name` if it is one: letters, digits, `.`, `_` and `-`. It becomes part of a path.

    Raises:
        UsageError: it is not.
    """
    if not _NAME.fullmatch(name):
        remedy = "Use letters, digits, '.', '_' and '-', at most 100 of them."
        raise UsageError(f"{name[:120]!r} is not a valid {what} name", remedy=remedy)
    return name


def is_version(version: str) -> bool:
    """Whether it is a version's id."""
    return _VERSION.fullmatch(version) is not None


def checked_version(version: str) -> str:
    """`version` if it is a version's id.

    Raises:
        UsageError: it is not.
    """
    if not is_version(version):
        raise UsageError(f"{version[:40]!r} is not a version", remedy="Versions are numbers from 1.")
    return version


def checked_registration(digest: str, candidate: str, annotations: Mapping[str, str]) -> None:
    """Refuse what would not come back as it was given.

    Raises:
        UsageError: a digest is none, or an annotation is too long, oddly named or reserved.
    """
    for value in (digest, candidate):
        if not _DIGEST.fullmatch(value):
            raise UsageError(f"{value[:80]!r} is not a SHA-256 in lower-case hex")
    for key, value in annotations.items():
        checked_annotation(key, value)


def checked_annotation(key: str, value: str) -> None:
    """Refuse an annotation that would not come back as it was given.

    Raises:
        UsageError: it is too long, oddly named or reserved.
    """
    if not _KEY.fullmatch(key) or key in RESERVED:
        raise UsageError(f"{key[:220]!r} cannot be used as the name of an annotation")
    if len(value) > MAX_VALUE or not value.isprintable():
        raise UsageError(f"the value of {key} is longer than {MAX_VALUE:,} characters or not printable")


def find(versions: tuple[Version, ...], model: str, version: str) -> Version:
    """The version of that id among `versions`.

    Raises:
        RegistryError: there is none.
    """
    found = next((one for one in versions if one.version == checked_version(version)), None)
    if found is None:
        known = ", ".join(one.version for one in versions[-10:]) or "none"
        raise RegistryError(
            f"there is no version {version}", subject=model, remedy=f"Registered versions: {known}."
        )
    return found


def lineage_of(versions: tuple[Version, ...], model: str, version: str) -> Lineage:
    """What a version was made from, by its annotations."""
    one = find(versions, model, version)
    base = next((v for v in versions if v.version == one.annotations.get(BASE)), None)
    matches = ((_SUBJECT.fullmatch(key), value) for key, value in one.annotations.items())
    roles = {match[1]: value for match, value in matches if match and match[1] != "verdict"}
    return Lineage(one, base, roles)
