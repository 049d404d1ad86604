"""`assay check CHECK SUBJECT`: any single check, without a ledger."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from assay.core.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from assay.core.check import Check
    from assay.core.subject import Subject


@click.command("check")
@click.argument("name", metavar="CHECK")
@click.argument("subject", required=False, default="")
@click.option("--baseline", default="", help="What to compare with: a path, or a URL for an endpoint.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the check; VALUE is read as YAML. May be given several times.",
)
@click.option("--model", default="", help="For an endpoint: the model name to send.")
@click.option("--rules", is_flag=True, help="Print the check's rules and options, then stop.")
@fail_on_option
@ignore_options
@download_option
@output_options
def command(
    name: str,
    subject: str,
    max_download: int,
    baseline: str,
    options: tuple[str, ...],
    model: str,
    rules: bool,  # noqa: FBT001
    fail_on: str | None,
    ignore_file: str | None,
    known: str | None,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001
) -> int:
    """Run one CHECK on SUBJECT; without it, on what assay.yaml names.

    SUBJECT is a path, an endpoint's URL, or a name to fetch: hf://ORG/NAME@REVISION, s3://BUCKET/KEY,
    mlflow:NAME@ALIAS.

    \b
    Examples:
      assay check data.poisoning train.jsonl
      assay check model.origin hf://org/name@main
      assay check model.weights-diff candidate/ --baseline approved/
      assay check model.behavior-diff http://127.0.0.1:8000/v1 --model tiny --option suites=[faq.jsonl]
    """  # noqa: D301  click keeps lines after the backspace
    from assay.cli.documents import document_of  # noqa: PLC0415
    from assay.core.check import load_check  # noqa: PLC0415
    from assay.pipeline.project import require_json  # noqa: PLC0415
    from assay.pipeline.runner import Task, run_task  # noqa: PLC0415

    check = load_check(name)
    if rules:
        from assay.cli.describe import describe  # noqa: PLC0415

        click.echo(describe(check), nl=False)
        return 0
    targets = parse_outputs(outputs)
    parsed = _parse_options(options, check.info.options)
    require_json(parsed, "--option")
    with progress(name, disabled=no_progress) as shown, Opened(max_download, shown) as opened:
        examined = _subject(check, subject, model, opened)
        task = Task(
            check,
            examined,
            _subject(check, baseline, model, opened) if baseline else None,
            parsed,
            ignore_entries(ignore_file, known, [examined]),
        )
        report = opened.settle(run_task(task, progress=shown).report)
    emit(document_of([report], check.info.title), format_, targets)
    return exit_for_reports([report], severity(fail_on))


def _subject(check: Check, text: str, model: str, opened: Opened) -> Subject:
    from assay.core.check import Role  # noqa: PLC0415
    from assay.core.subject import Subject, SubjectKind  # noqa: PLC0415

    if check.info.role is Role.ENVIRONMENT:
        from assay.subjects.environment import environment_subject  # noqa: PLC0415

        return environment_subject(text)
    if not text:
        return _project_subject(check, opened)
    if check.info.role is Role.ENDPOINT:
        return Subject.from_endpoint(text, model or "default")
    kind = {Role.DATA: SubjectKind.DATASET, Role.VECTORS: SubjectKind.VECTOR_STORE}.get(check.info.role)
    return opened.subject(text, kind if kind in check.info.kinds else None)


def _project_subject(check: Check, opened: Opened) -> Subject:
    """The part of the project here that the check looks at."""
    from assay.pipeline.project import load_project  # noqa: PLC0415

    try:
        part = opened.part(load_project(Path()), check.info.role)
    except ConfigError as error:
        raise UsageError(
            f"{check.info.name} needs a subject ({error})", remedy="Name a path or a URL."
        ) from error
    if part is None:
        raise UsageError(
            f"{check.info.name} needs a subject, and assay.yaml names no {check.info.role.value}",
            remedy="Name a path, or the URL of an endpoint.",
        )
    return part.subject()


def _parse_options(options: tuple[str, ...], known: type[Any]) -> dict[str, Any]:
    """The options by name; one that takes a text takes it as it is written, `1.6` too."""
    import yaml  # noqa: PLC0415  start-up

    texts = {f.name: str(f.type).startswith(("str", "Literal[")) for f in dataclasses.fields(known)}
    parsed = {}
    for item in options:
        key, equals, value = item.partition("=")
        if not equals:
            remedy = "`--rules` lists the check's options."
            raise UsageError(f"--option {item}: expected KEY=VALUE", remedy=remedy)
        if texts.get(key):
            parsed[key] = value
            continue
        try:
            parsed[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError) as error:
            remedy = "Write a number, a word, [a, list] or {a: mapping}, quoted for the shell."
            raise UsageError(f"--option {item}: the value is not YAML", remedy=remedy) from error
    return parsed
