"""`assay gateway`: the reverse proxy with the guard inside, and its keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.core.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from assay.gateway.keys import GatewayKey, KeyStore

_FILES = ("gateway.yaml", "assay.yaml")
config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False),
    help="assay.yaml, or a file with `guard` and `gateway` alone; default: gateway.yaml or assay.yaml here.",
)


@click.group("gateway", invoke_without_command=True)
@config_option
@click.option("--check", is_flag=True, help="Check the configuration, and stop.")
@click.pass_context
def command(context: click.Context, config: str | None, *, check: bool) -> int:
    """Serve an OpenAI-compatible API in front of model servers, with the guard on both ways.

    Ends when running requests are answered, on SIGTERM or Ctrl-C. SIGHUP, or a change of the file, puts a new
    configuration in force.
    """
    if context.invoked_subcommand is not None:
        return 0
    _need_extra()
    from assay.gateway.serve import check_gateway, serve  # noqa: PLC0415

    file = _file(config)
    if check:
        click.echo(f"{file}: {check_gateway(file)}")
        return 0
    return serve(file, click.echo)


@command.group("key")
def key() -> None:
    """Make, list and revoke the keys that clients use."""


@key.command("add")
@click.argument("name")
@config_option
@click.option("--tenant", default="", help="Whom it belongs to; goes into routes, records and samples.")
@click.option("--scope", "scopes", multiple=True, help="An endpoint that it opens; default: all but metrics.")
@click.option(
    "--model", "models", multiple=True, help="A model that it opens; * and ? are wild; default: all."
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The first day on which it is void (UTC).")
@click.option("--requests-per-minute", type=click.IntRange(0), help="Instead of the configured limit.")
@click.option("--tokens-per-minute", type=click.IntRange(0), help="Instead of the configured limit.")
@click.option("--concurrent", type=click.IntRange(0), help="Instead of the configured limit.")
@click.option("--body-bytes", type=click.IntRange(0), help="Instead of the configured limit.")
def add(
    name: str,
    config: str | None,
    tenant: str,
    scopes: tuple[str, ...],
    models: tuple[str, ...],
    expires: datetime | None,
    **limits: int | None,
) -> int:
    """Make a key and print it, once: only its hash is stored."""
    from assay.gateway.keys import USUAL_SCOPES, KeyLimits  # noqa: PLC0415

    if "/" in tenant or not tenant.isprintable():
        raise UsageError("a tenant's name has no slash and no control characters")
    made, text = _store(config).add(
        name,
        tenant=tenant,
        scopes=scopes or USUAL_SCOPES,
        models=models or ("*",),
        expires=expires.replace(tzinfo=UTC) if expires else None,
        limits=KeyLimits(**limits),
    )
    click.echo(text)
    click.echo(f"key {made.id} for {name}; this is the only time that it is shown", err=True)
    return 0


@key.command("list")
@config_option
def list_keys(config: str | None) -> int:
    """List the keys, without their secrets."""
    for one in _store(config).all():
        tenant = f", tenant {one.tenant}" if one.tenant else ""
        click.echo(f"{one.id}  {one.name}{tenant}, {' '.join(one.scopes)}, {_state(one)}")
    return 0


@key.command("revoke")
@click.argument("identity", metavar="ID")
@config_option
def revoke(identity: str, config: str | None) -> int:
    """Stop taking a key, from the next request on."""
    revoked = _store(config).revoke(identity)
    click.echo(f"key {revoked.id} ({revoked.name}) is not taken any more")
    return 0


def _state(one: GatewayKey) -> str:
    if one.revoked:
        return f"revoked {one.revoked:%Y-%m-%d %H:%M}"
    if one.expires:
        return f"{'valid until' if one.valid(datetime.now(UTC)) else 'expired'} {one.expires:%Y-%m-%d}"
    return "valid"


def _store(config: str | None) -> KeyStore:
    from assay.gateway.keys import FILE_NAME, KeyStore  # noqa: PLC0415
    from assay.gateway.settings import load_settings  # noqa: PLC0415

    return KeyStore(load_settings(_file(config or _outer_config())).state / FILE_NAME)


def _outer_config() -> str | None:
    """What `assay gateway --config FILE key …` named."""
    context: click.Context | None = click.get_current_context()
    while context is not None and context.command is not command:
        context = context.parent
    return context.params["config"] if context is not None else None


def _file(config: str | None) -> Path:
    if config:
        return Path(config)
    found = next((Path(name) for name in _FILES if Path(name).is_file()), None)
    if found is None:
        raise ConfigError(
            "no gateway.yaml or assay.yaml here",
            remedy="Write one (docs/gateway.md shows the smallest), or name it with --config.",
        )
    return found


def _need_extra() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    missing = [name for name in ("starlette", "uvicorn", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"the gateway needs {missing[0]}", remedy="pip install 'assay-llm[gateway]'")
