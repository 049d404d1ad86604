"""`assay guard --jsonl FILE`: verdicts on many texts, a line each, and what they come to on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from assay.cli.output import opened_atomically, parse_outputs, progress
from assay.cli.texts import opened, reader
from assay.core.errors import UsageError
from assay.guard.bulk import Asked, Tally, judged
from assay.guard.verdict import Action
from assay.reports.plain import visible
from assay.reports.stages import counted


def judge_lines(
    file: str, asked: Asked, format_: str | None, outputs: Sequence[str], *, no_progress: bool
) -> Tally:
    """Judge the lines of a file; what became of them.

    Raises:
        UsageError: an option does not fit.
    """
    if format_ is not None:
        raise UsageError("--jsonl writes JSON lines", remedy="Leave out -f.")
    targets = [path for _, path in parse_outputs(outputs, ("jsonl",))]
    if len(targets) > 1:
        raise UsageError("--jsonl writes one file", remedy="Give -o once.")
    tally = Tally()
    quiet = no_progress or not targets
    with opened(file) as stream, progress("judging", disabled=quiet) as shown, _target(targets) as out:
        for lines, batch in judged(reader(stream, file), asked):
            tally.add(batch)
            out.write(lines)
            out.flush()
            shown.update(tally.total, note="texts")
    click.echo(_summary(tally), err=True)
    return tally


@contextmanager
def _target(paths: Sequence[Path]) -> Iterator[IO[str]]:
    if paths:
        with opened_atomically(paths[0]) as file:
            yield file
    else:
        yield sys.stdout


def _summary(tally: Tally) -> str:
    """What became of the texts, for a person."""
    actions = ", ".join(f"{tally.actions[one]:,} {one.value}" for one in Action if tally.actions[one])
    lines = [f"{counted(tally.total, 'texts')}: {actions or 'none judged'}"]
    lines += [f"  not judged: line {number}: {visible(why, limit=300)}" for number, why in tally.bad]
    if tally.unjudged > len(tally.bad):
        lines.append(f"  and {tally.unjudged - len(tally.bad):,} more lines")
    if tally.incomplete:
        lines.append(f"  not looked at in full: {counted(tally.incomplete, 'texts')}")
        lines += [f"    {visible(gap, limit=300)} ({count:,})" for gap, count in tally.gaps.most_common()]
    return "\n".join(lines)
