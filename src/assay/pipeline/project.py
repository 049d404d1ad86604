"""Find, read and validate `assay.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.config import Project
from assay.core.errors import ConfigError
from assay.core.strict_yaml import read_yaml, validated

FILE_NAME = "assay.yaml"


@dataclass(frozen=True, slots=True)
class LoadedProject:
    """A validated `assay.yaml`, and the folder that its relative paths start from.

    Attributes:
        config: what the file says, defaults filled in.
        root: the folder of the file.
        written: the keys that the file itself sets, as dotted names; the rest are defaults.
    """

    config: Project
    root: Path
    written: frozenset[str]

    @property
    def file(self) -> Path:
        """The file it was read from."""
        return self.root / FILE_NAME

    def resolve(self, path: str) -> Path:
        """`path` as written in the file, made absolute.

        Raises:
            ConfigError: it names a user that does not exist, or holds a NUL.
        """
        if "\0" in path:
            remedy = "Correct the path."
            raise ConfigError("a path cannot hold a NUL character", subject=str(self.file), remedy=remedy)
        try:
            return (self.root / Path(path).expanduser()).absolute()
        except RuntimeError as error:
            shown = repr(path[:100])
            raise ConfigError(
                f"{shown} is not a path: {error}", subject=str(self.file), remedy="Correct the path."
            ) from error


def find_project(start: Path) -> Path:
    """The nearest `assay.yaml` in `start` or a folder above it.

    Raises:
        ConfigError: there is none.
    """
    if file := nearest_project(start):
        return file
    raise ConfigError(
        f"no {FILE_NAME} here or in a folder above",
        subject=str(start),
        remedy="Run `assay init` to write one for what is found here.",
    )


def nearest_project(start: Path) -> Path | None:
    """The same, or None."""
    if start.is_file():
        return start
    folders = (start.absolute(), *start.absolute().parents)
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def load_project(start: Path) -> LoadedProject:
    """Read the project that `start` (a folder, or the file itself) belongs to.

    Raises:
        ConfigError: there is no file, or it is not valid; the message names key and reason.
    """
    file = find_project(start)
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise ConfigError("is not a mapping of keys", subject=str(file), remedy="See `assay init`.")
    config = validated(Project, document, source=str(file), page="docs/configuration.md")
    require_json(config.checks, f"{file}: checks")
    require_json(config.policy.data, f"{file}: policy.data")
    return LoadedProject(config, file.absolute().parent, frozenset(_dotted(document)))


def require_json(value: Any, where: str) -> None:
    """Refuse options that canonical JSON, and so evidence, cannot carry: NaN, dates, huge integers.

    Raises:
        ConfigError: there is one.
    """
    from assay.core.canonical import canonical_bytes  # noqa: PLC0415  start-up

    try:
        canonical_bytes(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"holds a value that JSON cannot carry: {error}",
            subject=where,
            remedy="Use text, booleans and numbers below 2^53; quote dates.",
        ) from error


def _dotted(document: Mapping[Any, Any], prefix: str = "") -> list[str]:
    names = []
    for key, value in document.items():
        name = f"{prefix}{key}"
        names += _dotted(value, name + ".") if isinstance(value, dict) and value else [name]
    return names
