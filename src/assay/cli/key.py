"""`assay key show | export | rotate | revoke`: who signs, and who is believed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.output import file_to_write, write_atomically
from assay.cli.saying import say
from assay.core.errors import ConfigError

if TYPE_CHECKING:
    from assay.ledger import KeyChange
    from assay.pipeline.project import LoadedProject

project_option = click.option("--project", default=".", help="A folder with assay.yaml, or below one.")


@click.group("key")
def command() -> None:
    """Show, export, rotate and revoke signing keys."""


@command.command("show")
@project_option
def show(project: str) -> int:
    """List the key in use and the keys that are trusted."""
    from assay.ledger import Keyring, SigningKey  # noqa: PLC0415

    own, trusted = _paths(project)
    key = SigningKey.load_or_create(own)
    say(f"signing key {key.keyid}")
    say(f"  {key.public.algorithm}, {own}")
    keyring = Keyring.load(own, trusted)
    for public in keyring:
        revocation = keyring.revocations.get(public.keyid)
        state = (
            f"revoked at {revocation.revoked_at:%Y-%m-%d %H:%M} ({revocation.reason})" if revocation else ""
        )
        if public.keyid != key.keyid:
            say(f"trusted key {public.keyid} {state}".rstrip())
    return 0


@command.command("export")
@project_option
@click.option("-o", "--output", type=click.Path(), help="Write to this file.")
def export(project: str, output: str | None) -> int:
    """Print the public key as PEM; others name it under signing.trusted."""
    from assay.ledger import SigningKey  # noqa: PLC0415

    target = file_to_write(output) if output else None
    pem = SigningKey.load_or_create(_paths(project)[0]).public.pem
    if target:
        write_atomically(target, pem)
    else:
        click.echo(pem, nl=False)
    return 0


@command.command("rotate")
@project_option
def rotate(project: str) -> int:
    """Make a new signing key; what the old one signed stays valid. The change is logged."""
    from assay.ledger import rotate as rotate_key  # noqa: PLC0415

    change = rotate_key(_paths(project)[0], at=datetime.now(UTC))
    _log(project, change)
    click.echo(f"{change.previous.short} → {change.current.short}")
    return 0


@command.command("revoke")
@click.argument("keyid")
@project_option
@click.option("--reason", required=True, help="Why; goes into the ledger.")
@click.option(
    "--since",
    type=click.DateTime(),
    default=None,
    help="From when on it is not believed (UTC); default: now. Name the earliest possible leak.",
)
def revoke(keyid: str, project: str, reason: str, since: datetime | None) -> int:
    """Stop believing a key from a moment on. What it signed before, by the ledger, stays valid."""
    from assay.ledger import revoke as revoke_key  # noqa: PLC0415

    own, trusted = _paths(project)
    moment = since.replace(tzinfo=UTC) if since else datetime.now(UTC)
    change = revoke_key(own, keyid, at=moment, reason=reason, trusted=trusted)
    _log(project, change)
    click.echo(f"{change.previous.short} is not believed from {moment:%Y-%m-%d %H:%M:%S} UTC on")
    return 0


def _paths(project: str) -> tuple[Path, list[Path]]:
    from assay.ledger import default_key_path  # noqa: PLC0415
    from assay.pipeline.journal import key_path  # noqa: PLC0415

    loaded = _project(project)
    if loaded is None:
        return default_key_path(), []
    return key_path(loaded), [loaded.resolve(path) for path in loaded.config.signing.trusted]


def _project(project: str) -> LoadedProject | None:
    from assay.pipeline.project import find_project, load_project  # noqa: PLC0415

    try:
        find_project(Path(project))
    except ConfigError:
        return None
    return load_project(Path(project))


def _log(project: str, change: KeyChange) -> None:
    from assay.ledger import EntryKind, Ledger  # noqa: PLC0415
    from assay.pipeline.journal import ledger_uri  # noqa: PLC0415

    loaded = _project(project)
    if loaded is None:
        click.echo("no project here: the change is not in a ledger", err=True)
        return
    with Ledger.open(ledger_uri(loaded)) as ledger:
        ledger.append(EntryKind.KEY, change.envelope)
