"""`assay init`: write assay.yaml for what is found here."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.output import write_atomically
from assay.cli.saying import say
from assay.core.errors import UsageError


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False))
@click.option("--name", default="", help="Name of the model; default: the folder's name.")
@click.option("--force", is_flag=True, help="Replace an assay.yaml that is there.")
def command(folder: str, name: str, force: bool) -> int:  # noqa: FBT001
    """Look for a model, training data, infrastructure code and a server; write assay.yaml."""
    from assay.pipeline.discovery import discover, draft  # noqa: PLC0415

    root = Path(folder).absolute()
    file = root / "assay.yaml"
    if file.exists() and not force:
        raise UsageError("assay.yaml is there already", subject=str(file), remedy="Use --force.")
    found = discover(root)
    write_atomically(file, draft(found, name or root.name))
    say(f"wrote {file}")
    for line in found.summary():
        say(f"  {line}")
    click.echo("next: read it, then `assay run`")
    return 0
