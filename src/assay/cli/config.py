"""`assay config show`: what is in force, and from where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.cli.saying import say


@click.group("config")
def command() -> None:
    """The configuration in force."""


@command.command("show")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
def show(project: str) -> int:
    """Print every value, and whether assay.yaml sets it or it is a default."""
    from assay.pipeline.project import load_project  # noqa: PLC0415

    loaded = load_project(Path(project))
    say(f"# {loaded.file}")
    for name, value in _flat(loaded.config.model_dump(mode="json"), ""):
        source = "assay.yaml" if _written(name, loaded.written) else "default"
        say(f"{name} = {value!r}  # {source}")
    return 0


def _flat(value: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [(prefix.removesuffix("."), value)]
    return [item for key, inner in value.items() for item in _flat(inner, f"{prefix}{key}.")]


def _written(name: str, written: frozenset[str]) -> bool:
    return any(name == key or name.startswith(key + ".") for key in written)


@command.command("schema")
def schema() -> int:
    """Print the JSON Schema of assay.yaml, for editors."""
    import json  # noqa: PLC0415

    from assay.core.config import Project  # noqa: PLC0415

    click.echo(json.dumps(Project.model_json_schema(), indent=2, sort_keys=True))
    return 0
