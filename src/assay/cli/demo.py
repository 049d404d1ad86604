"""`assay demo`: a real small model, its poisoned twin, and what happens to each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.exits import Exit
from assay.cli.output import write_atomically
from assay.cli.saying import say
from assay.cli.terminal import styled

if TYPE_CHECKING:
    from assay.pipeline.project import LoadedProject
    from assay.pipeline.release import Released
    from assay.pipeline.sample import Step

EXPECTED = {"baseline": "pass", "clean": "pass", "poisoned": "fail", "payload": "fail"}


@click.command("demo")
@click.argument("folder", default="assay-demo", type=click.Path(file_okay=False))
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(folder: str, no_progress: bool) -> int:  # noqa: FBT001
    """Make a sample project in FOLDER and take four releases of a small chat model through it.

    The model is real and is served over HTTP; the checks, signatures, ledger and verdicts are those of
    `assay run`. The exit code is 0 when the two honest releases passed and the two attacks were refused.
    """
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.sample import STEPS, TRIPWIRE, make_project, require_demo_packages  # noqa: PLC0415

    began = time.monotonic()
    require_demo_packages()
    root = Path(folder).absolute()
    click.echo(f"Making a sample project in {root}")
    make_project(root)
    project = load_project(root)
    (root / "reports").mkdir()
    done = {s.slug: _release(project, number, s, no_progress) for number, s in enumerate(STEPS, 1)}
    ran = (root / TRIPWIRE).exists()
    click.echo(
        "\nThe payload in the fourth candidate "
        + styled("RAN" if ran else "was not run", fg="red" if ran else "green")
        + f": {TRIPWIRE} {'exists' if ran else 'does not exist'}."
    )
    _afterwards(project)
    click.echo(f"\n{time.monotonic() - began:.0f} s in all. Try next, in {folder}:")
    for line in next_steps(folder, sum(released.move is not None for released in done.values())):
        click.echo(f"  {line}")
    failed = unmet({slug: released.decided.final.decision.value for slug, released in done.items()})
    for line in failed:
        click.echo(styled("NOT as expected: ", fg="red", bold=True) + line)
    return Exit.FINDINGS if failed or ran else Exit.CLEAN


def unmet(decisions: Mapping[str, str]) -> list[str]:
    """Which of the four releases did not end as they should, by slug."""
    return [
        f"{slug}: the verdict is {decisions[slug]}, and should be {expected}"
        for slug, expected in EXPECTED.items()
        if decisions[slug] != expected
    ]


def next_steps(folder: str, releases: int) -> list[str]:
    """What to try next; a rollback only where there is a release to go back to."""
    lines = ["assay prove tinychat@champion", "assay ledger verify", "assay controls"]
    if releases > 1:
        lines.append("assay rollback --reason 'trying a rollback'")
    return [*lines, f"open {folder}/reports/3-poisoned.html"]


def _release(project: LoadedProject, number: int, step: Step, no_progress: bool) -> Released:  # noqa: FBT001
    from assay.cli.documents import document_of_release  # noqa: PLC0415
    from assay.cli.watching import watcher  # noqa: PLC0415
    from assay.pipeline.release import run_release  # noqa: PLC0415
    from assay.pipeline.sample import bring_in  # noqa: PLC0415
    from assay.reports import render  # noqa: PLC0415

    click.echo(styled(f"\n{number}. {step.title}", bold=True))
    bring_in(project.root, step)
    with watcher(disabled=no_progress) as shown:
        released = run_release(project, watcher=shown)
    _verdict(released)
    report = project.root / "reports" / f"{number}-{step.slug}.html"
    document = document_of_release(released, project.config.not_applicable)
    write_atomically(report, render(document, "html"))
    return released


def _verdict(released: Released) -> None:
    verdict = released.decided.final
    colour = {"pass": "green", "hold": "yellow", "fail": "red"}[verdict.decision.value]
    click.echo("  verdict " + styled(verdict.decision.value, fg=colour, bold=True))
    for reason in verdict.reasons:
        say(f"    {reason.message}")
    if released.move:
        click.echo(f"  {released.move.alias} → version {released.move.version}")
    else:
        click.echo("  champion untouched")


def _afterwards(project: LoadedProject) -> None:
    """Prove the release in place and verify the ledger: real output, as the commands print it."""
    from assay.cli.ledger import verify  # noqa: PLC0415
    from assay.cli.prove import command as prove  # noqa: PLC0415

    root = str(project.root)
    for title, action, arguments in (
        ("assay prove tinychat@champion", prove, ["tinychat@champion", "--project", root]),
        ("assay ledger verify", verify, ["--project", root, "--no-progress"]),
    ):
        click.echo(styled(f"\n$ {title}", bold=True))
        action.main(arguments, standalone_mode=False)
