"""Reports of earlier scans for `assay scan`, imported only once a subject is large enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.saying import say_error
from assay.core.errors import UsageError
from assay.core.folders import is_file

if TYPE_CHECKING:
    from assay.core.check import Progress
    from assay.core.report import Report
    from assay.pipeline.report_cache.cache import ReportCache
    from assay.pipeline.runner import Task

LEAST = 4 << 20  # bytes; a smaller subject is scanned sooner than its report is found


class Scans:
    """Makes reports, or takes earlier ones of the same bytes.

    Args:
        disabled: always make them.
    """

    def __init__(self, *, disabled: bool) -> None:
        self._disabled = disabled
        self._cache: ReportCache | None = None

    def look(self, path: Path) -> bool:
        """Note what `path` is like, before it is hashed; whether a large file is worth hashing first."""
        if self._disabled or (is_file(path) and path.stat().st_size < LEAST):
            return False
        from assay.pipeline.report_cache.facts import facts_of  # noqa: PLC0415  start-up

        facts = facts_of(path)
        if facts is None or facts.size < LEAST:
            return False
        from assay.pipeline.report_cache.cache import ReportCache  # noqa: PLC0415  start-up
        from assay.sources.private_folder import cache_folder  # noqa: PLC0415  start-up

        try:
            self._cache = self._cache or ReportCache(cache_folder("reports"))
            return self._cache.look(path, facts)
        except UsageError as error:
            say_error(error, "assay: earlier reports are not used: ")
            self._disabled = True
            return False

    def report(self, task: Task, shown: Progress) -> Report:
        """The report of a task whose subject was looked at before it was hashed.

        Raises:
            SubjectError: it cannot be hashed; whatever was seen of it is the report of nothing.
        """
        from assay.pipeline.runner import run_task  # noqa: PLC0415  start-up

        def run(task: Task) -> Report:
            return run_task(task, progress=shown).report

        if self._disabled or self._cache is None:
            report = run(task)
        else:
            report = self._cache.report(task, run, known=task.subject.is_settled())
        # Digests that are computed beside are waited for here.
        return replace(report, subject=report.subject.settled())
