"""Subject: the thing that is checked, named by digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from threading import Thread

from assay.core.canonical import JSON, canonical_digest
from assay.core.digest import hash_folder, sha256_file
from assay.core.errors import SubjectError
from assay.core.folders import is_folder


class SubjectKind(StrEnum):
    """What a subject is; a check says which kinds it takes."""

    FILE = "file"
    FOLDER = "folder"
    DATASET = "dataset"
    ENVIRONMENT = "environment"
    INFRASTRUCTURE = "infrastructure"
    VECTOR_STORE = "vector-store"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that is checked.

    Attributes:
        kind: what it is.
        name: what people call it: a path as the user wrote it, a URL, an environment's prefix.
        digests: algorithm to lower-case hex. `sha256` is always there and is the subject's identity.
        location: where it is opened from: an absolute path, or a URL for an endpoint.
        serves: for an endpoint, the model behind it; evidence is bound to both.
    """

    kind: SubjectKind
    name: str
    digests: Mapping[str, str]
    location: str
    serves: Subject | None = field(default=None)

    @property
    def sha256(self) -> str:
        """The digest that names this subject."""
        return self.digests["sha256"]

    @property
    def path(self) -> Path:
        """Where it lies on disk.

        Raises:
            SubjectError: an endpoint has no path.
        """
        if self.kind is SubjectKind.ENDPOINT:
            raise SubjectError("an endpoint has no path", subject=self.name)
        return Path(self.location)

    def is_folder(self) -> bool:
        """Whether its bytes lie in a folder rather than in one file."""
        return self.kind is not SubjectKind.ENDPOINT and self.path.is_dir()

    @classmethod
    def from_path(cls, path: Path | str, *, kind: SubjectKind | None = None, whole: bool = False) -> Subject:
        """Name the file or folder at `path` by the digest of its bytes.

        Links to folders outside of it have no bytes here: the digest names them as left out, and
        `artifact.scan` reports them. `whole` refuses them, for whoever vouches for all that may be loaded.

        Raises:
            SubjectError: it does not exist or cannot be read.
        """
        location = Path(path).absolute()
        if is_folder(location):
            manifest = hash_folder(location, without_outside=not whole)
            digests = {"sha256": manifest.sha256, "oms-root": manifest.oms_root}
            return cls(kind or SubjectKind.FOLDER, str(path), digests, str(location))
        digest = sha256_file(location)
        return cls(kind or SubjectKind.FILE, str(path), {"sha256": digest.sha256}, str(location))

    @classmethod
    def beginning(cls, path: Path | str, *, kind: SubjectKind | None = None) -> Subject:
        """As `from_path`, but returns at once: digests are computed beside, and waited for when asked for.

        Whoever keeps the subject calls `settled` first. What cannot be hashed raises there.
        """
        location = Path(path).absolute()
        default = SubjectKind.FOLDER if is_folder(location) else SubjectKind.FILE
        return cls(kind or default, str(path), _Beside(path, kind), str(location))

    def is_settled(self) -> bool:
        """Whether asking for its digests does not wait."""
        return not isinstance(self.digests, _Beside)

    def settled(self) -> Subject:
        """This subject with its digests known.

        Raises:
            SubjectError: it does not exist or cannot be read.
        """
        return replace(self, digests=dict(self.digests))

    @classmethod
    def from_endpoint(cls, url: str, model: str, *, serves: Subject | None = None) -> Subject:
        """Name an OpenAI-compatible endpoint by what answers there.

        Where the model behind it is known, the identity is the model's digest and not the address, so
        that the same model served on another port is the same subject.
        """
        known: JSON = {"serves": serves.sha256} if serves else {"url": url}
        digest = canonical_digest({"endpoint": known, "model": model})
        return cls(SubjectKind.ENDPOINT, model, {"sha256": digest}, url, serves)

    @classmethod
    def from_document(cls, kind: SubjectKind, name: str, document: JSON, location: str) -> Subject:
        """Name something that is not one file by the canonical JSON that describes it fully."""
        return cls(kind, name, {"sha256": canonical_digest(document)}, location)


class _Beside(Mapping[str, str]):
    """Digests that a thread computes; reading any of them waits for it."""

    def __init__(self, path: Path | str, kind: SubjectKind | None) -> None:
        self._digests: Mapping[str, str] | BaseException = {}
        self._thread = Thread(target=self._compute, args=(path, kind), daemon=True)
        self._thread.start()

    def _compute(self, path: Path | str, kind: SubjectKind | None) -> None:
        try:
            self._digests = Subject.from_path(path, kind=kind).digests
        except BaseException as error:  # noqa: BLE001  raised again where the digest is asked for
            self._digests = error

    def _computed(self) -> Mapping[str, str]:
        self._thread.join()
        if isinstance(self._digests, BaseException):
            raise self._digests
        return self._digests

    def __getitem__(self, name: str) -> str:
        return self._computed()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._computed())

    def __len__(self) -> int:
        return len(self._computed())
