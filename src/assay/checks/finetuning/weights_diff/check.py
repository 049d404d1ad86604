"""The plug-in."""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

from assay.checks.finetuning.weights_diff.document import details, metrics
from assay.checks.finetuning.weights_diff.engine import Engine
from assay.checks.finetuning.weights_diff.judge import judge, results
from assay.checks.finetuning.weights_diff.options import WeightsDiffOptions
from assay.checks.finetuning.weights_diff.pairing import Plan, plan
from assay.checks.finetuning.weights_diff.rules import RULES
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.report import Coverage, Report, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.weights import open_weights

FIRST_RELEASE = "first release: there is no baseline to compare with"
MAX_SKIPPED = 100


class WeightsDiff:
    """Compares the candidate's weights with the approved model's, tensor by tensor."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="model.weights-diff",
        title="Which weights changed since the baseline, by how much, and where it is abnormal",
        stage=Stage.FINETUNING,
        role=Role.MODEL,
        kinds=(SubjectKind.FILE, SubjectKind.FOLDER),
        version="1",
        rules=RULES,
        options=WeightsDiffOptions,
        baseline=True,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Compare `subject` with `context.baseline`, or examine it alone on a first release.

        Raises:
            SubjectError: the weights of either cannot be opened or read.
            ConfigError: an option is wrong.
            CheckError: the run was cancelled.
        """
        options = context.parsed(WeightsDiffOptions)
        context.checkpoint()
        with ExitStack() as stack:
            weights = stack.enter_context(open_weights(subject.path))
            before = context.baseline
            baseline = stack.enter_context(open_weights(before.path)) if before else None
            problems = [
                *weights.problems,
                *(f"baseline: {p}" for p in (baseline.problems if baseline else ())),
            ]
            planned = plan(weights, baseline)
            engine = Engine(planned.pairs, context, workers=options.workers, kernel=options.kernel)
            found = results(planned.pairs, engine.run())
            findings = judge(found, planned, problems, options)
        return conclude(
            self.info.name,
            subject,
            findings=findings,
            coverage=_coverage(planned, () if before else (FIRST_RELEASE,)),
            fail_on=options.fail_on,
            metrics=metrics(found, planned, compared=before is not None),
            details=details(found, planned, engine.kernel),
            baseline=before,
        )


def _coverage(planned: Plan, notes: tuple[str, ...]) -> Coverage:
    skipped = planned.skipped
    return Coverage("tensors", len(planned.pairs), skipped[:MAX_SKIPPED], len(skipped), notes)
