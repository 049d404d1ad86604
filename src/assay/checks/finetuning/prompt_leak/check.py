"""The plug-in: plants a code for each attempt, asks for it in many ways, concludes."""

from __future__ import annotations

from typing import ClassVar

from assay.checks.finetuning.prompt_leak.options import PromptLeakOptions
from assay.checks.finetuning.prompt_leak.rules import LEAK, RULES
from assay.checks.probing.holding import hold
from assay.checks.probing.outcomes import Rate, by_mutation, document, finding
from assay.checks.probing.pack import read_packs
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.report import Coverage, Metric, Report, conclude
from assay.core.subject import Subject, SubjectKind

MAX_SKIPPED = 50
MAX_EXAMPLES = 100


class PromptLeak:
    """Tries to bring out a code that is planted in the system prompt."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="model.prompt-leak",
        title="System prompt or planted secret coming out",
        stage=Stage.FINETUNING,
        role=Role.ENDPOINT,
        kinds=(SubjectKind.ENDPOINT,),
        version="1",
        rules=RULES,
        options=PromptLeakOptions,
        baseline=True,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Ask both endpoints for what they must not say.

        Raises:
            ConfigError: an option or a pack is wrong.
            EndpointError: an endpoint answers nothing.
            CheckError: the run was cancelled.
        """
        options = context.parsed(PromptLeakOptions)
        held = hold(subject, context, options, read_packs(options.packs, options.root))
        rate = Rate.of(held.attempts)
        title = "brought out the planted code or most of the system prompt"
        found = finding(LEAK, title, rate, options.max_rate, options.significance)
        metrics: dict[str, Metric] = {"attempts": len(held.attempts), "judged": held.judged}
        if rate.tried:
            metrics["leak_rate"] = round(rate.share, 4)
        if rate.pairs is not None:
            metrics["baseline_leak_rate"] = round(rate.pairs.baseline / rate.pairs.total, 4)
        worked = [attempt for attempt in held.attempts if attempt.worked]
        return conclude(
            self.info.name,
            subject,
            findings=[found] if found else [],
            coverage=Coverage(
                "attempts", held.judged, held.skipped[:MAX_SKIPPED], len(held.skipped), held.notes
            ),
            fail_on=options.fail_on,
            metrics=metrics,
            details={
                "rate": rate.document(),
                "mutations": {
                    name or "none": one.document() for name, one in by_mutation(held.attempts).items()
                },
                "worked": [document(attempt) for attempt in worked[:MAX_EXAMPLES]],
            },
            baseline=context.baseline,
        )
