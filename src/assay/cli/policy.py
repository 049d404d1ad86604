"""`assay policy list | show | test`: the packs that decide."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assay.cli.exits import Exit
from assay.cli.saying import say


@click.group("policy")
def command() -> None:
    """List, show and test policy packs."""


@command.command("list")
def list_packs() -> int:
    """Print the packs that ship with Assay."""
    from assay.gate import builtin_names, load_pack  # noqa: PLC0415

    for name in builtin_names():
        click.echo(f"{name:<12} {load_pack(name).title}")
    return 0


@command.command("show")
@click.argument("pack")
def show(pack: str) -> int:
    """Print the Rego of PACK: a built-in name or a folder."""
    from assay.gate import load_pack  # noqa: PLC0415

    for module in load_pack(pack).all_modules():
        click.echo(f"# {module.name}\n{module.source.rstrip()}\n")
    return 0


@command.command("test")
@click.argument("packs", nargs=-1)
@click.option("--engine", default="regopy", show_default=True, help="regopy, or the path of an opa binary.")
def test(packs: tuple[str, ...], engine: str) -> int:
    """Run the test_* rules of PACKS (names or folders; default: all that ship with Assay).

    Exit codes: 0 all passed, 1 one failed or a pack has no tests.
    """
    from assay.gate import builtin_names, load_pack, open_engine, run_policy_tests  # noqa: PLC0415

    opened = open_engine(engine)
    passed = True
    for name in packs or builtin_names():
        run = run_policy_tests(load_pack(name), opened)
        for result in run.results:
            mark = {"pass": "✔", "fail": "✘", "error": "!", "skipped": "-"}[result.outcome]
            say(f"{mark} {run.pack}/{result.name} {result.message}".rstrip())
        say(run.message)
        passed = passed and run.passed
    return Exit.CLEAN if passed else Exit.FINDINGS


@command.command("input")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option("--schema", is_flag=True, help="Print the document's JSON Schema instead.")
def input_document(project: str, schema: bool) -> int:  # noqa: FBT001
    """Print the document that policies would see for the candidate as it stands."""
    if schema:
        from assay.gate import input_schema  # noqa: PLC0415

        click.echo(json.dumps(input_schema(), indent=2))
        return 0
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.release import gate_input  # noqa: PLC0415

    click.echo(json.dumps(gate_input(load_project(Path(project))), indent=2))
    return 0
