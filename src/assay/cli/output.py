"""What commands share: output formats, where they go, severities, and progress on stderr."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from assay.cli.terminal import takes_color, takes_escapes, width
from assay.core.errors import UsageError
from assay.core.folders import is_folder

if TYPE_CHECKING:
    from assay.core.check import Progress
    from assay.core.finding import Severity
    from assay.reports import Document

FORMATS = ("table", "json", "sarif", "junit", "markdown", "html", "cyclonedx")
SEVERITIES = ("info", "low", "medium", "high", "critical")
# Opening these anew would start at the beginning of what standard output already wrote.
_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/([0-9]{1,4}))")
_STANDARD = {"stdout": 1, "stderr": 2}
F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """`-f FORMAT` for stdout, `-o FORMAT=FILE` for files (repeatable), `--no-progress`."""
    for option in (
        click.option("--no-progress", is_flag=True, help="Do not show progress."),
        click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="FORMAT=FILE",
            help="Also write a report to a file; may be given several times.",
        ),
        click.option("-f", "--format", "format_", type=click.Choice(FORMATS), default="table"),
    ):
        function = option(function)
    return function


def fail_on_option(function: F) -> F:
    """`--fail-on SEVERITY`: the lowest severity that makes the exit code 1."""
    return click.option(
        "--fail-on",
        type=click.Choice(SEVERITIES),
        default=None,
        help="Lowest severity that fails; default: as each check says.",
    )(function)


def ignore_options(function: F) -> F:
    """`--ignore-file FILE` and `--known FILE`: findings that do not count."""
    for option in (
        click.option(
            "--known",
            default=None,
            type=click.Path(),
            help="A JSON report whose findings count as known.",
        ),
        click.option(
            "--ignore-file",
            default=None,
            type=click.Path(),
            help="Findings to ignore, with reasons and dates; default: assay-ignore.yaml here or above.",
        ),
    ):
        function = option(function)
    return function


def severity(name: str | None) -> Severity | None:
    """The severity of that name."""
    from assay.core.finding import Severity  # noqa: PLC0415

    return Severity(name) if name else None


def parse_outputs(outputs: Sequence[str], formats: Sequence[str] = FORMATS) -> list[tuple[str, Path]]:
    """`FORMAT=FILE` pairs, checked before any work is done.

    Raises:
        UsageError: a format is unknown, or a folder does not exist.
    """
    parsed = []
    for item in outputs:
        name, equals, file = item.partition("=")
        if not equals or name not in formats or not file:
            raise UsageError(f"-o {item}: expected FORMAT=FILE", remedy=f"Formats: {', '.join(formats)}.")
        parsed.append((name, file_to_write(file)))
    return parsed


def file_to_write(name: str) -> Path:
    """The file that an option `-o` names.

    Raises:
        UsageError: its folder does not exist, or it is a folder.
    """
    path = place_to_write(name)
    if is_folder(path):
        raise UsageError(f"-o {name}: is a folder", remedy="Name a file.")
    return path


def place_to_write(name: str) -> Path:
    """What an option `-o` names; the folder that it lies in is never made, for it may be a slip of the pen.

    Raises:
        UsageError: that folder does not exist.
    """
    path = Path(name)
    if not is_folder(path.absolute().parent):
        folder = str(path.parent)
        remedy = f"Correct the path, or make it: mkdir -p {shlex.quote(folder)}"
        raise UsageError(f"-o {name}: there is no folder {folder}", remedy=remedy)
    return path


def emit(document: Document, format_: str, outputs: Sequence[tuple[str, Path]]) -> None:
    """Print the document on stdout and write the files asked for."""
    from assay.reports import render  # noqa: PLC0415  start-up

    problems: list[OSError] = []
    for name, path in outputs:
        try:
            write_atomically(path, render(document, name))
        except OSError as error:
            problems.append(error)  # a full disk keeps nothing from whoever reads the rest
    printed = render(document, format_, width=width(), color=takes_color(sys.stdout))
    # What programs read is UTF-8, whatever the terminal's encoding is.
    click.echo(printed if format_ == "table" else printed.encode(), nl=False)
    if problems:
        raise problems[0]


def write_atomically(path: Path, text: str) -> None:
    """Write `text` so that the file is whole or unchanged, never half-written; see `opened_atomically`."""
    with opened_atomically(path) as file:
        file.write(text)


@contextmanager
def opened_atomically(path: Path) -> Iterator[IO[str]]:
    """A file to write to, which is at `path` once the block is over, whole, and not before.

    A device, a pipe or a descriptor (`/dev/stdout`) is written to, never replaced; a link stays one.

    Raises:
        OSError: it cannot be written; the error names `path`.
    """
    number = _DESCRIPTOR.fullmatch(str(path))
    try:
        if number:
            sys.stdout.flush()
            with _direct(os.dup(_STANDARD.get(number[1]) or int(number[2]))) as file:
                yield file
        elif path.exists() and not path.is_file():
            with _direct(path) as file:
                yield file
        else:
            with _replacing(path.resolve()) as file:
                yield file
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _direct(file: Path | int) -> IO[str]:
    return open(file, "w", encoding="utf-8")  # noqa: PTH123  may be a descriptor


@contextmanager
def _replacing(path: Path) -> Iterator[IO[str]]:
    import tempfile  # noqa: PLC0415  start-up

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  from a descriptor
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class TerminalProgress:
    """A line on stderr that is rewritten; only where stderr is a terminal."""

    def __init__(self, label: str) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
        note = TextColumn("{task.fields[note]}", markup=False)
        self._bar = Progress(*columns, note, transient=True, console=_stderr())
        self._task = self._bar.add_task(label, total=None, note="")

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show how far it is."""
        from assay.reports.plain import visible  # noqa: PLC0415  start-up

        self._bar.update(self._task, completed=done, total=total, note=visible(note))

    def start(self) -> None:
        """Begin drawing."""
        self._bar.start()

    def stop(self) -> None:
        """Clear the line."""
        self._bar.stop()


@contextmanager
def progress(label: str, *, disabled: bool = False) -> Iterator[Progress]:
    """Progress on stderr while the block runs, silent unless that is a terminal that takes escapes."""
    from assay.core.check import SilentProgress  # noqa: PLC0415

    if disabled or not takes_escapes(sys.stderr):
        yield SilentProgress()
        return
    bar = TerminalProgress(label)
    bar.start()
    try:
        yield bar
    finally:
        bar.stop()


def _stderr() -> Any:
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True)
