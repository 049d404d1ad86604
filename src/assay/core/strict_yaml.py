"""YAML of a user's own, read so that a typo shows: bounded, no aliases, no key twice, no key unknown."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from assay.core.errors import ConfigError
from assay.core.folders import unreadable

MAX_BYTES = 1 << 20
M = TypeVar("M", bound=BaseModel)


def read_yaml(file: Path, *, limit: int = MAX_BYTES) -> Any:
    """Parse a YAML file that we do not trust: bounded, no aliases, no duplicate keys, plain types only.

    Raises:
        ConfigError: it cannot be read or is not such YAML.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(limit + 1)
        if len(raw) > limit:
            remedy = "Name the right file, or remove what it does not need."
            raise ConfigError(f"is larger than {limit >> 20} MB", subject=str(file), remedy=remedy)
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


def validated(kind: type[M], document: object, *, source: str, page: str) -> M:
    """`document` as a section.

    Args:
        kind: the section.
        document: what YAML gave.
        source: the file, or the key, for errors.
        page: where every key is described.

    Raises:
        ConfigError: an unknown key, or a value that does not fit; the message names the key.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                f"unknown key {key!r}",
                subject=source,
                remedy=f"Correct or remove it; {page} lists every key.",
            ) from error
        raise ConfigError(f"{key}: {first['msg']}", subject=source, remedy="Correct the value.") from error


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
