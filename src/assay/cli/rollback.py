"""`assay rollback`: back to the newest release that passes today's policy."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.saying import say
from assay.core.errors import UsageError

REASON = 10


@click.command("rollback")
@click.option("--reason", required=True, help="Why, in at least 10 characters; goes into the ledger.")
@click.option("--to", default=None, help="Go to this version and no other.")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
def command(reason: str, to: str | None, project: str) -> int:
    """Point the alias at the newest earlier release whose evidence passes today's policy."""
    from assay.cli.documents import recovered_text  # noqa: PLC0415
    from assay.pipeline.journal import Journal  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.promotion import recover, roll_back  # noqa: PLC0415
    from assay.pipeline.release import open_project_registry  # noqa: PLC0415

    if len(reason.strip()) < REASON:
        raise UsageError(
            f"a reason of at least {REASON} characters is needed",
            subject="--reason",
            remedy="Say why: whoever reads the ledger will ask.",
        )
    loaded = load_project(Path(project))
    registry = open_project_registry(loaded)
    journal = Journal.of_project(loaded)
    try:
        alias = loaded.config.registry.alias
        recovered = recover(journal, registry, loaded.config.model.name, alias)
        done = roll_back(loaded, journal, registry, alias=alias, reason=reason, to=to)
    finally:
        journal.close()
    for outcome in recovered:
        say(recovered_text(outcome))
    for item in done.passed_over:
        say(f"passed over version {item.version}: {item.reason}")
    move = done.move
    say(f"{move.model}@{move.alias}: version {move.previous} → version {move.version}")
    return 0
