"""`assay diff BASE CANDIDATE`: what changed between two models."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.exits import exit_for_reports
from assay.cli.ignoring import ignore_entries
from assay.cli.output import (
    emit,
    fail_on_option,
    ignore_options,
    output_options,
    parse_outputs,
    progress,
    severity,
)
from assay.cli.subjects import Opened, download_option
from assay.core.errors import UsageError


@click.command("diff")
@click.argument("base", type=click.Path())
@click.argument("candidate", type=click.Path())
@click.option("--model", default="default", help="For endpoints: the model name to send.")
@click.option("--suite", "suites", multiple=True, help="For endpoints: a suite of prompts (JSONL).")
@fail_on_option
@ignore_options
@download_option
@output_options
def command(
    base: str,
    candidate: str,
    max_download: int,
    model: str,
    suites: tuple[str, ...],
    fail_on: str | None,
    ignore_file: str | None,
    known: str | None,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001
) -> int:
    """Compare CANDIDATE with BASE: weights of two models, or answers of two endpoints.

    Which comparison is made is told by what the two are: URLs, or paths and names to fetch (hf://, s3://,
    mlflow:).
    """
    from assay.cli.documents import document_of  # noqa: PLC0415
    from assay.core.check import load_check  # noqa: PLC0415
    from assay.core.subject import Subject  # noqa: PLC0415
    from assay.pipeline.runner import Task, run_task  # noqa: PLC0415

    targets = parse_outputs(outputs)
    urls = [text.startswith(("http://", "https://")) for text in (base, candidate)]
    name = "model.behavior-diff" if all(urls) else "model.weights-diff"
    if any(urls) and not all(urls):
        raise UsageError("a path cannot be compared with an endpoint", remedy="Name two of a kind.")
    check, options = load_check(name), {}
    with progress(name, disabled=no_progress) as shown, Opened(max_download, shown) as opened:
        if all(urls):
            options = {"suites": [str(Path(suite).absolute()) for suite in suites]}
            pair = [Subject.from_endpoint(text, model) for text in (candidate, base)]
        else:
            pair = [opened.subject(text) for text in (candidate, base)]
        task = Task(check, pair[0], pair[1], options, ignore_entries(ignore_file, known, pair))
        report = opened.settle(run_task(task, progress=shown).report)
    emit(document_of([report], f"{base} → {candidate}"), format_, targets)
    return exit_for_reports([report], severity(fail_on))
