"""A registry in a plain folder: the default, needing nothing but a file system.

    NAME/lock                  taken by whoever changes something
    NAME/versions/3/content/   the bytes, read-only
    NAME/versions/3/version.json
    NAME/aliases/champion      {"version": "3"}

A version appears by one rename and an alias moves by one rename, both synced to disk, so a kill at any
moment leaves the old state or the new one. Reading takes no lock and needs no permission to write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from assay.core.codec import from_json, to_json
from assay.core.errors import ConflictError, RegistryError, SubjectError, TamperError
from assay.registries.registry import (
    Lineage,
    Version,
    checked_annotation,
    checked_name,
    checked_registration,
    checked_version,
    find,
    is_version,
    lineage_of,
)
from assay.registries.storage import (
    content_path,
    copy_content,
    digest_of,
    incoming,
    locked,
    sync_folder,
    write_atomically,
)

MAX_DOCUMENT = 16 << 20


def _now() -> datetime:
    return datetime.now(UTC)


class FolderRegistry:
    """Models in a folder. Safe under concurrent processes on one machine; see docs/registries.md for NFS."""

    def __init__(self, root: Path, clock: Callable[[], datetime] = _now) -> None:
        self.root = root.absolute()
        self._clock = clock

    def resolve(self, model: str, version: str) -> Path:
        """See `Registry.resolve`."""
        folder = self._versions(model) / checked_version(version)
        known = find(self.versions(model), model, version)
        path = content_path(folder / "content", single=known.annotations.get("assay.kind") == "file")
        if digest_of(path) != known.digest:
            raise TamperError(
                "the stored bytes are not those that were registered",
                subject=f"{model} version {version}",
                remedy=f"Do not use {path}. Register the model again from a source you trust.",
            )
        return path

    def versions(self, model: str) -> tuple[Version, ...]:
        """See `Registry.versions`."""
        folder = self._versions(model)
        try:
            names = [path.name for path in folder.iterdir() if path.name.isdecimal()]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _failed(folder, error) from error
        return tuple(self._read(model, name) for name in sorted(names, key=int))

    def create_version(
        self, model: str, source: Path, digest: str, candidate: str, annotations: Mapping[str, str]
    ) -> Version:
        """See `Registry.create_version`."""
        checked_registration(digest, candidate, annotations)
        known = self._registered(model, candidate)
        if known:
            return known
        with self._writing(model) as lock, incoming(self._versions(model), lock) as scratch:
            kind = "folder" if source.is_dir() else "file"
            copy_content(source, scratch / "content")
            if digest_of(content_path(scratch / "content", single=kind == "file")) != digest:
                raise RegistryError(
                    "is not what was checked: its digest differs",
                    subject=str(source),
                    remedy="Stop whatever writes to it, then run the checks again.",
                )
            with locked(lock):
                # Somebody may have registered the same candidate while we copied.
                known = self._registered(model, candidate)
                return known or self._publish(
                    model, scratch, digest, candidate, {**annotations, "assay.kind": kind}
                )

    def get_alias(self, model: str, alias: str) -> Version | None:
        """See `Registry.get_alias`."""
        version = self._alias(self._alias_path(model, alias))
        return self._read(model, version) if version else None

    def set_alias(self, model: str, alias: str, version: str, *, expect: str | None) -> None:
        """See `Registry.set_alias`."""
        path = self._alias_path(model, alias)
        find(self.versions(model), model, version)
        with self._writing(model) as lock, locked(lock):
            self._require(path, model, expect)
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, json.dumps({"version": version}) + "\n")

    def delete_alias(self, model: str, alias: str, *, expect: str) -> None:
        """See `Registry.delete_alias`."""
        path = self._alias_path(model, alias)
        with self._writing(model) as lock, locked(lock):
            self._require(path, model, expect)
            path.unlink()
            sync_folder(path.parent)

    def annotate(self, model: str, version: str, key: str, value: str) -> None:
        """See `Registry.annotate`."""
        checked_annotation(key, value)
        find(self.versions(model), model, version)
        with self._writing(model) as lock, locked(lock):
            known = self._read(model, version)
            changed = replace(known, annotations={**known.annotations, key: value})
            self._write(self._versions(model) / version, changed)

    def lineage(self, model: str, version: str) -> Lineage:
        """See `Registry.lineage`."""
        return lineage_of(self.versions(model), model, version)

    def _versions(self, model: str) -> Path:
        return self.root / checked_name(model) / "versions"

    def _alias_path(self, model: str, alias: str) -> Path:
        return self.root / checked_name(model) / "aliases" / checked_name(alias, "alias")

    @contextmanager
    def _writing(self, model: str) -> Iterator[Path]:
        """The model's lock file, with folders made and operating system errors told as ours."""
        try:
            self._versions(model).mkdir(parents=True, exist_ok=True)
            yield self.root / model / "lock"
        except OSError as error:
            raise _failed(self.root / model, error) from error

    def _registered(self, model: str, candidate: str) -> Version | None:
        return next((one for one in self.versions(model) if one.candidate == candidate), None)

    def _publish(
        self, model: str, scratch: Path, digest: str, candidate: str, annotations: Mapping[str, str]
    ) -> Version:
        numbers = [int(one.version) for one in self.versions(model)]
        number = str(max(numbers, default=0) + 1)
        version = Version(model, number, digest, candidate, self._clock(), annotations)
        self._write(scratch, version)
        scratch.rename(self._versions(model) / number)
        sync_folder(self._versions(model))
        return version

    def _write(self, folder: Path, version: Version) -> None:
        write_atomically(folder / "version.json", json.dumps(to_json(version), indent=2) + "\n")

    def _read(self, model: str, version: str) -> Version:
        path = self._versions(model) / checked_version(version) / "version.json"
        try:
            known = from_json(Version, self._load(path), source=str(path))
        except SubjectError as error:
            raise _nonsense(path) from error
        if (known.model, known.version) != (model, version):
            raise _nonsense(path)
        return known

    def _alias(self, path: Path) -> str | None:
        if not path.exists():
            return None
        document = self._load(path)
        version = document.get("version") if isinstance(document, dict) else None
        if not isinstance(version, str) or not is_version(version):
            raise _nonsense(path)
        return version

    def _load(self, path: Path) -> object:
        try:
            with path.open("rb") as file:
                document: object = json.loads(file.read(MAX_DOCUMENT))
        except OSError as error:
            raise _failed(path, error) from error
        except (ValueError, RecursionError) as error:
            raise _nonsense(path) from error
        return document

    def _require(self, path: Path, model: str, expect: str | None) -> None:
        standing = self._alias(path)
        if standing != expect:
            raise ConflictError(
                f"it points at {standing or 'nothing'} and not at {expect or 'nothing'}",
                subject=f"{model}@{path.name}",
                remedy="Somebody else moved it. Look at what it points at now, then run again.",
            )


def _failed(path: Path, error: OSError) -> RegistryError:
    return RegistryError(
        f"the registry cannot be used: {(error.strerror or str(error)).lower()}",
        subject=str(error.filename or path),
        remedy="Check that the folder exists, is writable, and has room.",
    )


def _nonsense(path: Path) -> RegistryError:
    return RegistryError(
        "holds nothing that a registry wrote", subject=str(path), remedy="Restore it from a backup."
    )
