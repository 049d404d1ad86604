"""`assay prove SUBJECT`: what ran on exactly those bytes, who signed, what was decided."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.exits import Exit
from assay.cli.saying import say
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from assay.pipeline.project import LoadedProject
    from assay.pipeline.proof import Proof


@click.command("prove")
@click.argument("subject")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table")
def command(subject: str, project: str, format_: str) -> int:
    """Print every check that ran on SUBJECT's exact bytes, the verdicts, approvals and alias moves.

    SUBJECT is a path, a SHA-256, or MODEL@ALIAS. Every signature and every inclusion in the ledger is
    verified. Exit codes: 0 all of it holds, 1 something does not, 4 nothing is known of it.
    """
    from assay.pipeline.journal import Journal  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.proof import prove  # noqa: PLC0415

    loaded = load_project(Path(project))
    digest = _digest(subject, loaded)
    journal = Journal.of_project(loaded)
    try:
        proof = prove(journal, digest)
    finally:
        journal.close()
    if format_ == "json":
        from assay.core.codec import to_json  # noqa: PLC0415

        # The root is bytes, which JSON has no form for.
        document = {f.name: to_json(getattr(proof, f.name)) for f in fields(proof) if f.name != "head"}
        document["head"] = {"size": proof.head.size, "root": proof.head.root.hex()}
        document["sound"] = proof.sound
        click.echo(json.dumps(document, indent=2))
    else:
        _print(proof)
    if not proof.entries:
        return Exit.INCOMPLETE
    return Exit.CLEAN if proof.sound else Exit.FINDINGS


def _digest(subject: str, project: LoadedProject) -> str:
    text = subject.removeprefix("sha256:").lower()
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    if Path(subject).exists():
        from assay.core.subject import Subject  # noqa: PLC0415

        return Subject.from_path(subject).sha256
    model, at, alias = subject.partition("@")
    if at:
        from assay.core.subject import Subject  # noqa: PLC0415
        from assay.pipeline.release import open_project_registry  # noqa: PLC0415

        registry = open_project_registry(project)
        version = registry.get_alias(model, alias)
        if version is None:
            raise UsageError("the registry has no such alias", subject=subject, remedy="Run `assay run`.")
        # Of the bytes that are stored there, not of what the registry says of them.
        return Subject.from_path(registry.resolve(model, version.version)).sha256
    raise UsageError(
        "is neither a path that exists, a SHA-256, nor MODEL@ALIAS", subject=subject, remedy="Correct it."
    )


def _print(proof: Proof) -> None:
    from assay.cli.tables import print_table  # noqa: PLC0415

    click.echo(f"sha256:{proof.digest}")
    for name in proof.names:
        say(f"  known as {name}")
    if not proof.entries:
        click.echo("nothing in the ledger speaks of these bytes")
        return
    rows = [
        (
            f"#{entry.index}",
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.what,
            entry.outcome,
            entry.signer[:12],
            entry.problem or "verified",
        )
        for entry in proof.entries
    ]
    print_table(("entry", "logged (UTC)", "what", "outcome", "signed by", "proof"), rows, coloured=3)
    bad = sum(bool(entry.problem) for entry in proof.entries)
    state = "all verified" if not bad else f"{bad} NOT verified"
    root = proof.head.root.hex()[:16]
    click.echo(f"{len(proof.entries)} entries, {state}; in the tree of {proof.head.size}, root {root}…")
