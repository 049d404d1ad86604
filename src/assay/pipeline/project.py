"""Find, read and validate `assay.yaml`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from assay.core.config import Project
from assay.core.errors import ConfigError
from assay.core.folders import unreadable

FILE_NAME = "assay.yaml"
MAX_BYTES = 1 << 20


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
    if start.is_file():
        return start
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigError(
        f"no {FILE_NAME} here or in a folder above",
        subject=str(start),
        remedy="Run `assay init` to write one for what is found here.",
    )


def load_project(start: Path) -> LoadedProject:
    """Read the project that `start` (a folder, or the file itself) belongs to.

    Raises:
        ConfigError: there is no file, or it is not valid; the message names key and reason.
    """
    file = find_project(start)
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise ConfigError("is not a mapping of keys", subject=str(file), remedy="See `assay init`.")
    try:
        config = Project.model_validate(document)
    except ValidationError as error:
        raise _explain(error, file) from error
    require_json(config.checks, f"{file}: checks")
    require_json(config.policy.data, f"{file}: policy.data")
    return LoadedProject(config, file.absolute().parent, frozenset(_dotted(document)))


def read_yaml(file: Path) -> Any:
    """Parse a YAML file that we do not trust: bounded, no aliases, no duplicate keys, plain types only.

    Raises:
        ConfigError: it cannot be read or is not such YAML.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            remedy = "Name the right file, or remove what it does not need."
            raise ConfigError("is larger than 1 MB", subject=str(file), remedy=remedy)
        return yaml.load(raw.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506  a SafeLoader
    except OSError as error:
        raise unreadable(file, error, kind=ConfigError) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        what = getattr(error, "problem", None) or _reason(error)
        raise ConfigError(
            f"is not valid YAML{where}: {what}",
            subject=str(file),
            remedy="Correct that place; keys stand once, and anchors and aliases are not taken.",
        ) from error


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


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)[:200]


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without aliases (they can grow a file a million times) and duplicate keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                problem = f"key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _explain(error: ValidationError, file: Path) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ConfigError(
            f"unknown key {key!r}",
            subject=str(file),
            remedy="Correct or remove it; docs/configuration.md lists every key.",
        )
    return ConfigError(f"{key}: {first['msg']}", subject=str(file), remedy="Correct the value.")


def _dotted(document: Mapping[Any, Any], prefix: str = "") -> list[str]:
    names = []
    for key, value in document.items():
        name = f"{prefix}{key}"
        names += _dotted(value, name + ".") if isinstance(value, dict) and value else [name]
    return names
