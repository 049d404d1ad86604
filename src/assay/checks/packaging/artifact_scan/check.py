"""The check itself: what it is, and the processes that it reads pickles in."""

from __future__ import annotations

import os
from itertools import islice
from typing import ClassVar

from assay.checks.packaging.artifact_scan import policy, rules
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind
from assay.subjects.pickles import plain
from assay.subjects.pickles.machine import Limits, MachinePool

LOOKED_AT = 32  # files of a folder


class ArtifactScan:
    """Finds code hidden in model files, without running any of it."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="artifact.scan",
        title="Code hidden in model files",
        stage=Stage.PACKAGING,
        role=Role.MODEL,
        kinds=(SubjectKind.FILE, SubjectKind.FOLDER),
        version="3",
        rules=rules.RULES,
        options=ArtifactScanOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Examine every file of the subject.

        Raises:
            ConfigError: an option is wrong.
            CheckError: the run was cancelled.
        """
        options = context.parsed(ArtifactScanOptions)
        limits = Limits(options.memory, options.seconds)
        machines = (os.cpu_count() or 1) if subject.is_folder() else 1
        soon = _asks_for_machine(subject)
        with MachinePool(limits, machines, shapes=policy.shapes, soon=soon) as pool:
            # Imported while the processes start.
            from assay.checks.packaging.artifact_scan.survey import survey  # noqa: PLC0415

            return survey(subject, context, options, pool)


def _asks_for_machine(subject: Subject) -> bool:
    """Whether something is large enough to be read in a process, which had better start at once.

    What is small may be plain data, for which none is started; only the first files are asked.
    """
    try:
        if not subject.is_folder():
            return subject.path.stat().st_size > plain.MOST
        with os.scandir(subject.path) as entries:
            return any(
                entry.is_dir() or entry.stat().st_size > plain.MOST for entry in islice(entries, LOOKED_AT)
            )
    except OSError:
        return True  # the survey says what is wrong
