"""A registry in MLflow, by tracking server or by SQLite file.

A version is an MLflow model version whose source is a run's artifacts. What Assay must know of it are its
tags `assay.digest`, `assay.candidate` and `assay.kind`, set by the request that creates it. Aliases are
MLflow's.

MLflow has no compare-and-set for aliases. What stands in for it, and what remains open, is in
docs/registries.md.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from assay.core.errors import ConflictError, RegistryError, TamperError, UsageError
from assay.registries.mlflow_session import error_code, session, without_credentials
from assay.registries.registry import (
    Lineage,
    Version,
    checked_annotation,
    checked_name,
    checked_registration,
    checked_version,
    find,
    lineage_of,
)
from assay.registries.storage import content_path, digest_of, incoming, locked, source_files

EXPERIMENT = "assay"
ARTIFACTS = "model"
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})


def default_cache() -> Path:
    """Where downloaded versions are kept: `$XDG_CACHE_HOME/assay/mlflow`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assay" / "mlflow"


class MlflowRegistry:
    """Models in MLflow.

    Args:
        uri: `http://`, `https://` or `sqlite:///` with an absolute path.
        cache: where versions are downloaded to, by digest.
    """

    def __init__(self, uri: str, cache: Path | None = None) -> None:
        if not uri.startswith(("http://", "https://", "sqlite:///")):
            raise UsageError(
                f"{without_credentials(uri)!r} is not an MLflow tracking URI",
                remedy="Give http://HOST:PORT, https://HOST or sqlite:////absolute/path.db.",
            )
        self.uri = uri
        self._shown = without_credentials(uri)
        self._cache = cache or default_cache()
        with session(self._shown):
            from mlflow import MlflowClient  # noqa: PLC0415  an extra, and slow to import

            self._client: Any = MlflowClient(tracking_uri=uri, registry_uri=uri)

    def resolve(self, model: str, version: str) -> Path:
        """See `Registry.resolve`. Downloads to the cache unless it is there already."""
        known = find(self.versions(model), model, checked_version(version))
        if not known.digest:
            raise RegistryError(
                "was not registered by Assay, so there is no digest to verify it by",
                subject=f"{model} version {version}",
                remedy="Release it with `assay run`.",
            )
        single = known.annotations.get("assay.kind") == "file"
        kept = self._cache / known.digest
        if kept.is_dir() and digest_of(content_path(kept, single=single)) == known.digest:
            return content_path(kept, single=single)
        return self._download(known, kept, single=single)

    def versions(self, model: str) -> tuple[Version, ...]:
        """See `Registry.versions`. Those that Assay did not register have no digest."""
        name = checked_name(model)
        with session(f"{self._shown} {model}"):
            found, token = [], None
            while True:
                page = self._client.search_model_versions(f"name = '{name}'", page_token=token)
                found += list(page)
                token = page.token
                if not token:
                    break
        return tuple(sorted((_version(one) for one in found), key=lambda one: int(one.version)))

    def create_version(
        self, model: str, source: Path, digest: str, candidate: str, annotations: Mapping[str, str]
    ) -> Version:
        """See `Registry.create_version`. A kill leaves at most a run without a model version."""
        checked_registration(digest, candidate, annotations)
        known = self._registered(model, candidate)
        if known:
            return known
        _require_digest(source, digest)
        kind = "folder" if source.is_dir() else "file"
        tags = {**annotations, "assay.digest": digest, "assay.candidate": candidate, "assay.kind": kind}
        with session(f"{self._shown} {model}"):
            run = self._upload(source, model, candidate)
            # Read again: what was uploaded is what was checked only if nothing moved in between.
            _require_digest(source, digest)
            self._ensure_model(model)
            created = self._client.create_model_version(
                model, f"{run.info.artifact_uri}/{ARTIFACTS}", run.info.run_id, tags=tags
            )
        return self._oldest(model, candidate, str(created.version))

    def get_alias(self, model: str, alias: str) -> Version | None:
        """See `Registry.get_alias`."""
        number = self._standing(model, checked_name(alias, "alias"))
        return find(self.versions(model), model, number) if number else None

    def set_alias(self, model: str, alias: str, version: str, *, expect: str | None) -> None:
        """See `Registry.set_alias`."""
        find(self.versions(model), model, version)
        with self._moving(model, alias, expect) as require:
            with session(f"{self._shown} {model}"):
                self._client.set_registered_model_alias(model, alias, version)
            require(version)

    def delete_alias(self, model: str, alias: str, *, expect: str) -> None:
        """See `Registry.delete_alias`."""
        with self._moving(model, alias, expect) as require:
            with session(f"{self._shown} {model}"):
                self._client.delete_registered_model_alias(model, alias)
            require(None)

    def annotate(self, model: str, version: str, key: str, value: str) -> None:
        """See `Registry.annotate`."""
        checked_annotation(key, value)
        find(self.versions(model), model, version)
        with session(f"{self._shown} {model}"):
            self._client.set_model_version_tag(model, version, key, value)

    def lineage(self, model: str, version: str) -> Lineage:
        """See `Registry.lineage`."""
        return lineage_of(self.versions(model), model, version)

    def _registered(self, model: str, candidate: str) -> Version | None:
        return next((one for one in self.versions(model) if one.candidate == candidate), None)

    def _oldest(self, model: str, candidate: str, created: str) -> Version:
        """Of two who registered a candidate at the same time, the later steps back."""
        oldest = self._registered(model, candidate)
        if oldest is None:
            raise RegistryError(
                f"version {created} is gone right after it was made", subject=model, remedy="Run again."
            )
        if oldest.version != created:
            with session(f"{self._shown} {model}"):
                self._client.delete_model_version(model, created)
        return oldest

    def _upload(self, source: Path, model: str, candidate: str) -> Any:
        run = self._client.create_run(
            self._experiment(), run_name=f"{model}-{candidate[:12]}", tags={"assay.candidate": candidate}
        )
        for path, name in source_files(source):
            inside = PurePosixPath(ARTIFACTS, name).parent
            self._client.log_artifact(run.info.run_id, str(path), str(inside))
        self._client.set_terminated(run.info.run_id)
        return run

    def _experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        if known is None:
            try:
                return str(self._client.create_experiment(EXPERIMENT, artifact_location=self._artifacts()))
            except Exception as error:
                if error_code(error) != "RESOURCE_ALREADY_EXISTS":
                    raise
                known = self._client.get_experiment_by_name(EXPERIMENT)
        return str(known.experiment_id)

    def _artifacts(self) -> str | None:
        """Beside the SQLite file; MLflow would take the working folder. A server decides for itself."""
        if not self.uri.startswith("sqlite:///"):
            return None
        database = Path(self.uri.removeprefix("sqlite:///").partition("?")[0]).absolute()
        return (database.parent / "mlartifacts").as_uri()

    def _ensure_model(self, model: str) -> None:
        try:
            self._client.create_registered_model(model)
        except Exception as error:
            if error_code(error) != "RESOURCE_ALREADY_EXISTS":
                raise

    def _download(self, known: Version, kept: Path, *, single: bool) -> Path:
        subject = f"{known.model} version {known.version}"
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            with incoming(self._cache, self._cache / "lock") as scratch:
                with session(f"{self._shown} {subject}"):
                    run = self._client.get_model_version(known.model, known.version).run_id
                    fetched = Path(self._client.download_artifacts(run, ARTIFACTS, str(scratch)))
                if digest_of(content_path(fetched, single=single)) != known.digest:
                    raise TamperError(
                        "what MLflow stores is not what was registered",
                        subject=subject,
                        remedy="Do not use it. Register the model again from a source you trust.",
                    )
                with locked(self._cache / "lock"):
                    _replace(fetched, kept, scratch)
        except OSError as error:
            raise RegistryError(
                f"cannot be downloaded: {error.strerror or error}",
                subject=subject,
                remedy=f"Check that {self._cache} is writable and has room.",
            ) from error
        return content_path(kept, single=single)

    def _standing(self, model: str, alias: str) -> str | None:
        name = checked_name(model)
        with session(f"{self._shown} {model}"):
            try:
                aliases = self._client.get_registered_model(name).aliases
            except Exception as error:
                if error_code(error) in _ABSENT:
                    return None
                raise
        version = aliases.get(alias)
        return str(version) if version is not None else None

    @contextmanager
    def _moving(self, model: str, alias: str, expect: str | None) -> Iterator[Any]:
        """What stands in for compare-and-set: a lock on this machine, a token among machines."""
        token, tag = uuid.uuid4().hex, f"assay.move.{checked_name(alias, 'alias')}"
        lock = Path(tempfile.gettempdir()) / f"assay-{os.getuid()}-{self._lock_name(model, alias)}.lock"
        with locked(lock):
            self._require(model, alias, expect)
            with session(f"{self._shown} {model}"):
                self._ensure_model(model)
                self._client.set_registered_model_tag(model, tag, token)
            self._require(model, alias, expect)
            self._require_token(model, alias, tag, token)

            def require(version: str | None) -> None:
                self._require_token(model, alias, tag, token)
                self._require(model, alias, version)

            yield require

    def _lock_name(self, model: str, alias: str) -> str:
        return sha256(f"{self.uri}\n{model}\n{alias}".encode()).hexdigest()[:24]

    def _require(self, model: str, alias: str, expect: str | None) -> None:
        standing = self._standing(model, alias)
        if standing != expect:
            raise _conflict(
                model, alias, f"it points at {standing or 'nothing'} and not at {expect or 'nothing'}"
            )

    def _require_token(self, model: str, alias: str, tag: str, token: str) -> None:
        with session(f"{self._shown} {model}"):
            standing = self._client.get_registered_model(model).tags.get(tag)
        if standing != token:
            raise _conflict(model, alias, "somebody else is moving it at the same time")


def _conflict(model: str, alias: str, cause: str) -> ConflictError:
    remedy = "Look at what it points at now, then run again."
    return ConflictError(cause, subject=f"{model}@{alias}", remedy=remedy)


def _replace(fetched: Path, kept: Path, scratch: Path) -> None:
    if kept.is_dir():
        kept.rename(scratch / "damaged")
    fetched.rename(kept)


def _require_digest(source: Path, digest: str) -> None:
    if digest_of(source) != digest:
        raise RegistryError(
            "is not what was checked: its digest differs",
            subject=str(source),
            remedy="Stop whatever writes to it, then run the checks again.",
        )


def _version(found: Any) -> Version:
    tags = {str(key): str(value) for key, value in (found.tags or {}).items()}
    digest, candidate = tags.pop("assay.digest", ""), tags.pop("assay.candidate", "")
    created = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
    return Version(str(found.name), str(found.version), digest, candidate, created, tags)
