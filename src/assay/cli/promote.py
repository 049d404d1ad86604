"""`assay promote`: finish a release whose evidence is already logged."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.exits import exit_for_verdict
from assay.cli.output import emit, output_options, parse_outputs, progress
from assay.cli.subjects import bounds_of, download_option


@click.command("promote")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option(
    "--model",
    "model_path",
    default=None,
    help="Promote this instead of model.path: a path, or a name to fetch.",
)
@download_option
@output_options
def command(
    project: str,
    model_path: str | None,
    max_download: int,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001
) -> int:
    """Decide on the evidence in the ledger, approvals included, and move the alias on `pass`."""
    from assay.cli.documents import document_of_release  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.release import conclude_release  # noqa: PLC0415

    targets = parse_outputs(outputs)
    loaded = load_project(Path(project))
    with progress("fetching", disabled=no_progress) as shown:
        released = conclude_release(
            loaded, model_path=model_path, bounds=bounds_of(max_download), fetching=lambda _: shown
        )
    emit(document_of_release(released, loaded.config.not_applicable), format_, targets)
    return exit_for_verdict(released.decided.final)
