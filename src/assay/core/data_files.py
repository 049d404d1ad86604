"""Assay's own data files: YAML for people, read as fast as Python modules are.

Rules and lists are YAML, so that anybody can read and review them; parsing it took longer than a small scan.
So a parsed file is kept as Python keeps a compiled module: in `__pycache__` beside it, made again when the
file's size or time changes, and not at all where Python is told to write no bytecode. It is trusted as far as
Assay's own code is, which lies there in the same form. Never for a file of a user.
"""

from __future__ import annotations

import ast
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from assay.core.errors import ConfigError

_AS_SOURCE = ".py"  # so that `calls.yaml` and a module `calls.py` have caches of their own


def read_data(path: Path) -> Any:
    """What a YAML file of Assay's own says; callers must not change it.

    Raises:
        ConfigError: the file is missing or is no plain YAML.
    """
    try:
        code = _YamlLoader(str(path), str(path) + _AS_SOURCE).get_code(str(path))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", subject=str(path), remedy="Reinstall Assay.") from error
    return eval(code) if code is not None else None  # noqa: S307  a literal, see `source_to_code`


class _YamlLoader(SourceFileLoader):
    """Python's own loader and its cache, for sources in another language."""

    def path_stats(self, path: str) -> Any:
        """Size and time of the YAML file, by which a cached form is known to be of it."""
        return super().path_stats(path.removesuffix(_AS_SOURCE))

    def get_data(self, path: str) -> bytes:
        """The bytes of a file."""
        return super().get_data(path.removesuffix(_AS_SOURCE))

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> CodeType:  # type: ignore[override]  # typeshed has it static
        """The code of an expression whose value is what the YAML says: literals and nothing else."""
        import yaml  # noqa: PLC0415  start-up: seldom needed

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            value = yaml.load(bytes(data).decode("utf-8"), loader)  # noqa: S506  a safe loader, in C where built
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error
        text = repr(value)
        ast.literal_eval(text)  # a date, or infinity, has no literal
        return compile(text, path, "eval", dont_inherit=True)
