"""`assay run`: the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.exits import exit_for_verdict
from assay.cli.output import emit, output_options, parse_outputs
from assay.cli.subjects import bounds_of, download_option


@click.command("run")
@click.option("--project", default=".", help="A folder with assay.yaml, or below one.")
@click.option(
    "--model",
    "model_path",
    default=None,
    help="Release this instead of model.path: a path, or a name to fetch.",
)
@click.option("--no-promote", is_flag=True, help="Stop after the verdict; move no alias.")
@click.option("--resume", is_flag=True, help="Run no checks: decide on the evidence already logged.")
@download_option
@output_options
def command(
    project: str,
    model_path: str | None,
    no_promote: bool,  # noqa: FBT001
    resume: bool,  # noqa: FBT001
    max_download: int,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001
) -> int:
    """Run every check on the candidate, sign and log the evidence, decide, and promote on `pass`.

    Exit codes: 0 pass, 1 fail, 3 hold (see `assay approve`), 2 operational error.
    """
    from assay.cli.documents import document_of_release  # noqa: PLC0415
    from assay.cli.watching import watcher  # noqa: PLC0415
    from assay.pipeline.project import load_project  # noqa: PLC0415
    from assay.pipeline.release import conclude_release, run_release  # noqa: PLC0415

    targets = parse_outputs(outputs)
    loaded = load_project(Path(project))
    bounds = bounds_of(max_download)
    with watcher(disabled=no_progress) as shown:
        if resume:
            released = conclude_release(
                loaded,
                model_path=model_path,
                promote_it=not no_promote,
                bounds=bounds,
                fetching=shown.fetching,
            )
        else:
            released = run_release(
                loaded, model_path=model_path, promote_it=not no_promote, bounds=bounds, watcher=shown
            )
    emit(document_of_release(released, loaded.config.not_applicable), format_, targets)
    return exit_for_verdict(released.decided.final)
