"""What the words on a command line name: local paths, patterns of them, or sources to fetch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.core.errors import AssayError, UsageError

if TYPE_CHECKING:
    from assay.core.check import Progress, Role
    from assay.core.report import Report
    from assay.core.subject import Subject, SubjectKind
    from assay.pipeline.candidate import Part
    from assay.pipeline.project import LoadedProject
    from assay.sources.fetching import Fetched
    from assay.sources.workspace import Bounds

# Only what holds one of these can be a pattern or a source; other words cost no import.
_SPECIAL = frozenset("*?[:")
F = TypeVar("F", bound=Callable[..., Any])


def download_option(function: F) -> F:
    """`--max-download GB`: how much a named source may bring."""
    return click.option(
        "--max-download",
        type=click.IntRange(min=1),
        default=100,
        show_default=True,
        metavar="GB",
        help="Most that one hf://, s3:// or mlflow: name may bring.",
    )(function)


def bounds_of(max_download: int) -> Bounds:
    """How much one source may bring that may bring so many GB."""
    from assay.sources.workspace import Bounds  # noqa: PLC0415  start-up

    return Bounds(bytes=max_download << 30)


def named(words: Iterable[str]) -> tuple[list[Path | str], list[AssayError]]:
    """What words name, in their order and each once, and the words that name nothing.

    Returns:
        Local paths, with patterns expanded, and names of sources as texts; and the problems.
    """
    places: dict[str, Path | str] = {}
    problems: list[AssayError] = []
    for word in words:
        if names_source(word):
            places.setdefault(word, word)
            continue
        found, unread = _expanded(word)
        problems += unread
        for path in found:
            places.setdefault(os.path.abspath(path), path)  # noqa: PTH100  `a/../b` is b, links stay
    return list(places.values()), problems


def names_source(word: str) -> bool:
    """Whether it names something to fetch."""
    if ":" not in word:
        return False
    from assay.sources.names import is_source  # noqa: PLC0415  start-up

    return is_source(word)


def _require_path(word: str) -> None:
    """Refuse a word that is no path here and looks like the name of a source that is not known.

    Raises:
        UsageError: it says what to write instead.
    """
    if ":" not in word or os.path.lexists(word):
        return
    from assay.sources.names import misnamed  # noqa: PLC0415  start-up

    if error := misnamed(word):
        raise error


def _expanded(word: str) -> tuple[list[Path], list[AssayError]]:
    if not word:
        return [], [UsageError("an empty word names nothing", remedy="Name a path; `.` is this folder.")]
    if _SPECIAL.isdisjoint(word):
        return [Path(word)], []
    from assay.sources.globs import expand  # noqa: PLC0415  start-up

    try:
        _require_path(word)
        return expand(word)
    except AssayError as error:
        return [], [error]


class Opened(ExitStack):
    """Subjects by name; what was fetched for them is removed at the end of the block.

    Args:
        max_download: GB that one source may bring.
        progress: told of every chunk that is fetched.
    """

    def __init__(self, max_download: int, progress: Progress) -> None:
        super().__init__()
        self._max = max_download
        self._progress = progress
        self._fetched: dict[str, Fetched] = {}

    def subject(self, word: str, kind: SubjectKind | None = None) -> Subject:
        """The subject that `word` names, fetched if it lies elsewhere.

        Raises:
            AssayError: it cannot be read, or not be fetched in full.
        """
        from assay.core.subject import Subject  # noqa: PLC0415  start-up

        if not names_source(word):
            _require_path(word)
            return Subject.from_path(Path(word), kind=kind)
        from assay.sources.fetching import fetched  # noqa: PLC0415  start-up

        found = self.enter_context(fetched(word, bounds=bounds_of(self._max), progress=self._progress))
        self._fetched[found.name] = found
        return found.subject(kind)

    def part(self, project: LoadedProject, role: Role) -> Part | None:
        """The part of the project that has this role, fetched if it lies elsewhere; None if it has none.

        Raises:
            ConfigError: it does not exist.
            AssayError: it cannot be fetched in full.
        """
        from assay.pipeline.candidate import opened_parts  # noqa: PLC0415  start-up

        bounds, progress = bounds_of(self._max), self._progress
        opened = opened_parts(project, only=role, bounds=bounds, fetching=lambda _: progress)
        part = self.enter_context(opened).files.get(role.value)
        if part is not None and part.fetched is not None:
            self._fetched[part.name] = part.fetched
        return part

    def settle(self, report: Report) -> Report:
        """`report`, with where its subject came from if that was fetched."""
        found = self._fetched.get(report.subject.name)
        return found.settle(report) if found else report
