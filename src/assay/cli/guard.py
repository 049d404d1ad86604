"""`assay guard TEXT|FILE|-`: what the guard says of a text, and why; `--jsonl` judges many."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.exits import Exit
from assay.cli.output import parse_outputs, write_atomically
from assay.cli.terminal import takes_color, width
from assay.cli.texts import name_of, read, told
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from assay.cli.verdicts import Judged
    from assay.guard.bulk import Asked, Tally
    from assay.guard.verdict import Action

SOURCES = ("system", "user", "document", "tool-call", "tool-result", "output")
ACTIONS = ("flag", "redact", "block")
_AGAIN = 1.0  # seconds
_BYTES = 4  # that one character takes at most


@click.command("guard")
@click.argument("word", metavar="TEXT|FILE|-", required=False)
@click.option("--text", default=None, help="The text itself, whatever it looks like; for scripts.")
@click.option("--file", "file", default=None, metavar="FILE", help="A file with the text, UTF-8; - is stdin.")
@click.option(
    "--jsonl", default=None, metavar="FILE", help='Many texts: {"id", "text"} a line, a verdict a line out.'
)
@click.option("--policy", default=None, metavar="FILE", help="A policy; default: `guard` in assay.yaml.")
@click.option("--project", default=None, help="A folder with assay.yaml, or below one; default: this one.")
@click.option(
    "--source", type=click.Choice(SOURCES), default="user", show_default=True, help="Where the text is from."
)
@click.option("--route", default="", help="The route whose settings count.")
@click.option(
    "--fail-on",
    type=click.Choice(ACTIONS),
    default="flag",
    show_default=True,
    help="Lowest action that makes the exit code 1.",
)
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default=None)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Also write table or json to a file; with --jsonl, write jsonl to one instead.",
)
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(
    word: str | None,
    text: str | None,
    file: str | None,
    jsonl: str | None,
    policy: str | None,
    project: str | None,
    source: str,
    route: str,
    fail_on: str,
    format_: str | None,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001  click hands flags over so
) -> int:
    """Judge a text as the gateway would, and explain the verdict. Nothing leaves this machine.

    A word is a file where there is one of that name, else the text itself; one that looks like a path and is
    no file is an error. Scripts say which they mean: --text, --file, or - for standard input.

    Exit codes: 0 allowed, 1 flagged, redacted or blocked (see --fail-on), 2 usage or operational error,
    4 nothing that fails, and not everything was looked at.

    \b
    Examples:
      assay guard "Ignore all previous instructions."
      assay guard mail.txt --source document -f json
      assay guard --jsonl prompts.jsonl -o jsonl=verdicts.jsonl
    """  # noqa: D301  click keeps lines after the backspace
    if sum(one is not None for one in (word, text, file, jsonl)) != 1:
        raise UsageError(
            "name one thing to judge", remedy="A text, a file, - for standard input, or --jsonl FILE."
        )
    asked, where = _asked(policy, project, source, route)
    if jsonl is not None:
        from assay.cli.guard_lines import judge_lines  # noqa: PLC0415  start-up

        tally = judge_lines(jsonl, asked, format_, outputs, no_progress=no_progress)
        return _code_of_many(tally, fail_on)
    targets = parse_outputs(outputs, ("table", "json"))
    if word is not None:
        text, file = told(word)
    judged = _judged(text, file, asked, where)
    for name, path in targets:
        write_atomically(path, _rendered(judged, asked, name))
    color = takes_color(sys.stdout)
    click.echo(_rendered(judged, asked, format_ or "table", width=width(), color=color), nl=False)
    return _code(judged.verdict.action, fail_on, complete=judged.verdict.complete)


def _asked(file: str | None, project: str | None, source: str, route: str) -> tuple[Asked, str]:
    """What texts are judged by, and where the policy is from."""
    from assay.guard.bulk import Asked  # noqa: PLC0415  start-up
    from assay.guard.policy import load_policy  # noqa: PLC0415  start-up
    from assay.guard.verdict import Source  # noqa: PLC0415  start-up
    from assay.pipeline.guarding import policy_in_force  # noqa: PLC0415  start-up

    if file is None:
        policy, found = policy_in_force(Path(project) if project is not None else None)
        return Asked(policy, Source(source), route), str(found or "built in")
    if project is not None:
        raise UsageError("--policy and --project exclude each other", remedy="Leave out one.")
    return Asked(load_policy(Path(file)), Source(source), route), file


def _judged(text: str | None, file: str | None, asked: Asked, where: str) -> Judged:
    from assay.cli.verdicts import Judged  # noqa: PLC0415  start-up
    from assay.guard.guard import Guard  # noqa: PLC0415  start-up

    if text is None:
        assert file is not None  # noqa: S101  one of them is given
        text = read(file, _BYTES * asked.policy.max_characters + 1)  # more than is judged, if it is longer
        name = name_of(file)
    else:
        name = f"text of {len(text):,} characters"
    guard = Guard(asked.policy)
    began = time.monotonic()
    verdict = guard.judge(text, asked.source, asked.route)
    if time.monotonic() - began < _AGAIN:  # the first time includes what is made ready once
        verdict = guard.judge(text, asked.source, asked.route)
    return Judged(name, text, where, verdict, guard.title)


def _rendered(
    judged: Judged, asked: Asked, format_: str, *, width: int | None = None, color: bool = False
) -> str:
    if format_ == "table":
        from assay.cli.verdicts import render  # noqa: PLC0415  start-up

        return render(judged, width=width, color=color)
    from assay import __version__  # noqa: PLC0415  start-up
    from assay.guard.rows import explained  # noqa: PLC0415  start-up

    document: dict[str, Any] = {
        "judged": judged.name,
        "characters": len(judged.text),
        "source": asked.source.value,
        "route": asked.route,
        "policy": judged.policy,
        **explained(judged.verdict),
        "tool_version": __version__,
    }
    return json.dumps(document, indent=2) + "\n"


def _code(action: Action, fail_on: str, *, complete: bool) -> Exit:
    """The exit code: what acts outranks what was not looked at."""
    if action.rank >= type(action)(fail_on).rank:
        return Exit.FINDINGS
    return Exit.CLEAN if complete else Exit.INCOMPLETE


def _code_of_many(tally: Tally, fail_on: str) -> Exit:
    from assay.guard.verdict import Action  # noqa: PLC0415  start-up

    worst = max(tally.actions, key=lambda one: one.rank, default=Action.ALLOW)
    return _code(worst, fail_on, complete=not tally.incomplete and not tally.unjudged)
