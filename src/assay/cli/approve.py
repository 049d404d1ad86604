"""`assay approve`: a person's signed word on a release that is on hold."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from assay.cli.output import progress
from assay.cli.saying import say
from assay.cli.subjects import bounds_of, download_option


@click.command("approve")
@click.option("--reason", required=True, help="Why it may ship; goes into the ledger.")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option("--model", "model_path", default=None, help="What is on hold, if not model.path.")
@click.option("--approver", default=None, help="Who approves; default: the user running this.")
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="Days until the approval expires.",
)
@click.option("--key", type=click.Path(), help="Your own private key, if not the project's.")
@download_option
def command(
    reason: str,
    project: str,
    model_path: str | None,
    approver: str | None,
    days: int,
    key: str | None,
    max_download: int,
) -> int:
    """Sign an approval bound to the candidate's digest and to the verdict as it stands.

    It is void as soon as the candidate, the evidence's outcome or the policy changes. Afterwards
    `assay promote` finishes the release.
    """
    from assay.pipeline.approval import approve_release  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415

    with progress("fetching") as shown:
        approved = approve_release(
            load_project(Path(project)),
            reason=reason,
            approver=approver or getpass.getuser(),
            model_path=model_path,
            days=days,
            key=Path(key) if key else None,
            bounds=bounds_of(max_download),
            fetching=lambda _: shown,
        )
    say(
        f"approved candidate {approved.approval.candidate[:12]} by {approved.approval.approver} "
        f"(verdict {approved.approval.verdict[:12]}, ledger entry {approved.index})"
    )
    left = approved.decided.final
    if left.decision.value == "pass":
        click.echo("the verdict is now pass: `assay promote` finishes the release")
    else:
        for item in left.reasons:
            say(f"still {item.decision.value}: {item.message}")
    return 0
