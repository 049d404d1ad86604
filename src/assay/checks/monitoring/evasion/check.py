"""The plug-in: opens the guard by its policy, searches, concludes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from assay.checks.monitoring.evasion.attacks import Attack, read_attacks
from assay.checks.monitoring.evasion.options import EvasionOptions
from assay.checks.monitoring.evasion.rules import RULES
from assay.checks.monitoring.evasion.search import Searched, search
from assay.checks.monitoring.evasion.trials import MAX_TEXT, Range
from assay.checks.monitoring.evasion.verdicts import details, findings, metrics
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.report import Coverage, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.guard.guard import Guard
from assay.guard.mutation import MUTATIONS, chosen
from assay.guard.policy import load_policy
from assay.guard.verdict import Action


class GuardEvasion:
    """Rewrites known attacks until they get past the guard, and says by what."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="monitor.evasion",
        title="Attacks that get past the guard once they are rewritten",
        stage=Stage.MONITORING,
        role=Role.GUARD,
        kinds=(SubjectKind.FILE,),
        version="1",
        rules=RULES,
        options=EvasionOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Open the guard whose policy the file holds, and try to get past it.

        Raises:
            ConfigError: an option, the policy or an attack file is wrong.
            CheckError: the run was cancelled.
        """
        options = context.parsed(EvasionOptions)
        attacks = read_attacks(options.attacks, options.root, builtin=options.builtin)
        mutations = chosen(options.mutations) if options.mutations else MUTATIONS
        guard = Guard(load_policy(subject.path), today=lambda: context.clock().date())

        def watch(judged: int) -> None:
            if judged % 50 == 0:
                context.checkpoint()
                context.progress.update(judged, options.budget, "texts")

        range_ = Range(guard, options.route, Action(options.caught), options.budget, options.seed, watch)
        found = search(
            attacks, mutations, range_, tries=options.tries, depth=options.depth, width=options.width
        )
        return conclude(
            self.info.name,
            subject,
            findings=findings(found, options.max_rate),
            coverage=_coverage(found, range_, attacks),
            fail_on=options.fail_on,
            metrics=metrics(found, range_.judged),
            details=details(found),
        )


def _coverage(found: Searched, range_: Range, attacks: Sequence[Attack]) -> Coverage:
    """Texts that the guard judged with all of its layers, and all that it did not."""
    skipped = []
    if range_.untried:
        reason = f"the budget of {range_.judged:,} texts was used up"
        what = f"{range_.untried:,} of the texts planned for {len(attacks):,} attacks"
        skipped.append(Skipped(what, reason, "Raise `budget`, or try fewer mutations."))
    if range_.overlong:
        what = f"{range_.overlong:,} rewritten texts"
        reason = f"they grew beyond {MAX_TEXT:,} characters"
        skipped.append(Skipped(what, reason, "Try shorter attacks."))
    for reason, count in found.failures.items():
        skipped.append(
            Skipped(f"{count:,} texts", f"a layer of the guard failed: {reason}", "Mend that layer.")
        )
    absent = range_.guard.absent()
    notes = [f"{name} does not look: {why}" for name, why in absent.items()]
    examined = range_.judged - sum(found.failures.values())
    return Coverage("texts", examined, tuple(skipped), len(skipped), tuple(notes))
