"""`assay ledger verify | show | proof | head`: the append-only log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.exits import Exit
from assay.cli.output import file_to_write, progress, write_atomically
from assay.cli.saying import say
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from assay.pipeline.journal import Journal

project_option = click.option("--project", default=".", help="A folder with assay.yaml, or below one.")


@click.group("ledger")
def command() -> None:
    """Verify, show, prove and anchor the append-only ledger."""


@command.command("verify")
@project_option
@click.option("--anchor", type=click.Path(dir_okay=False), help="A signed head kept elsewhere.")
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def verify(project: str, anchor: str | None, no_progress: bool) -> int:  # noqa: FBT001
    """Recompute every leaf, node, signature and index from the stored bytes.

    Exit codes: 0 sound, 1 something was changed.
    """
    journal = _journal(project)
    kept = _read(anchor) if anchor else None
    with journal.ledger, progress("verifying", disabled=no_progress) as shown:
        result = journal.ledger.verify(journal.keyring, anchor=kept, progress=shown)
    for problem in result.problems[:50]:
        say(f"PROBLEM {problem}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(result.entries_by_kind.items()))
    click.echo(f"{result.size} entries ({kinds}); root {result.root.hex()}")
    for keyid, count in sorted(result.signers.items()):
        click.echo(f"  key {keyid[:16]} vouches for {count}")
    if not result.sound:
        click.echo(f"NOT SOUND: {len(result.problems)} problems")
        return Exit.FINDINGS
    anchored = f"; the anchor covers {result.anchored}" if anchor else "; not compared with an anchor"
    click.echo(f"sound: every leaf, node and signature holds{anchored}")
    return Exit.CLEAN


@command.command("show")
@click.argument("index", required=False, type=int)
@project_option
@click.option("--limit", default=20, show_default=True, help="How many entries, newest first.")
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table")
def show(index: int | None, project: str, limit: int, format_: str) -> int:
    """List the newest entries, or print the statement of entry INDEX."""
    from assay.ledger.envelope import parse_envelope  # noqa: PLC0415

    journal = _journal(project)
    with journal.ledger as ledger:
        if index is not None:
            statement = parse_envelope(ledger.get(index).envelope).statement
            click.echo(json.dumps(statement, indent=2))
            return Exit.CLEAN
        entries = list(ledger.entries(newest_first=True, limit=limit))
    rows: list[tuple[str, ...]] = []
    for entry in entries:
        subject = parse_envelope(entry.envelope).statement["subject"][0]
        digest = next(iter(subject["digest"].values()))
        when = f"{entry.appended_at:%Y-%m-%d %H:%M:%S}"
        rows.append((str(entry.index), when, entry.kind.value, subject.get("name", ""), digest[:16]))
    columns = ("index", "logged (UTC)", "kind", "subject", "sha256")
    if format_ == "json":
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=2))
        return Exit.CLEAN
    from assay.cli.tables import print_table  # noqa: PLC0415

    print_table(columns, rows)
    return Exit.CLEAN


@command.command("proof")
@click.argument("index", type=int, required=False)
@project_option
@click.option("--since", type=int, default=None, help="Prove instead that the tree of this size is a prefix.")
def proof(index: int | None, project: str, since: int | None) -> int:
    """Print the RFC 9162 inclusion proof of entry INDEX, or a consistency proof, as JSON."""
    from assay.ledger.merkle import leaf_hash  # noqa: PLC0415

    if (index is None) == (since is None):
        raise UsageError("name either an entry's INDEX or --since SIZE", remedy="`assay ledger proof 0`.")
    journal = _journal(project)
    with journal.ledger as ledger:
        head = ledger.head()
        document: dict[str, Any] = {"tree_size": head.size, "root_hash": head.root.hex()}
        if since is not None:
            path = ledger.consistency_proof(since, head.size)
            document |= {"first_size": since, "first_root": ledger.root_at(since).hex()}
        elif index is not None:
            path = ledger.inclusion_proof(index, head.size)
            document |= {"leaf_index": index, "leaf_hash": leaf_hash(ledger.get(index).leaf_bytes).hex()}
    click.echo(json.dumps({**document, "path": [node.hex() for node in path]}, indent=2))
    return Exit.CLEAN


@command.command("head")
@project_option
@click.option("-o", "--output", type=click.Path(), help="Write the signed head: an anchor.")
def head(project: str, output: str | None) -> int:
    """Print size and root; with -o, write them signed, to be kept where the ledger's owner cannot."""
    target = file_to_write(output) if output else None
    journal = _journal(project)
    with journal.ledger as ledger:
        now = ledger.head()
        signed = ledger.signed_head(journal.key)
    if target:
        write_atomically(target, signed.decode() + "\n")
    click.echo(f"{now.size} entries, root {now.root.hex()}")
    return Exit.CLEAN


def _journal(project: str) -> Journal:
    from assay.pipeline.journal import Journal, ledger_uri  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415

    loaded = load_project(Path(project))
    uri = ledger_uri(loaded)
    if isinstance(uri, Path) and not uri.exists():
        raise UsageError("there is no ledger yet", subject=str(uri), remedy="`assay run` makes it.")
    return Journal.of_project(loaded, intact=False)


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(1 << 20).strip()
