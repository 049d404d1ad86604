"""A check in a package of its own: does a model folder say under which licence it may be used?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.finding import Location, Rule, Severity
from assay.core.report import Coverage, Report, conclude
from assay.core.subject import Subject, SubjectKind

MISSING = Rule(
    id="licence/missing",
    title="No licence in the model folder",
    severity=Severity.MEDIUM,
    description="Without a licence nobody but its makers may use the model.",
    remedy="Put a LICENSE file beside the weights, or a `license:` line into the model card.",
    tags=("owasp:LLM03",),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `example.licence`.

    Attributes:
        files: names that count as a licence.
    """

    files: tuple[str, ...] = ("LICENSE", "LICENSE.txt", "LICENSE.md")


class LicenceCheck:
    """Looks for a licence file, or a licence in the model card."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="example.licence",
        title="The model says under which licence it may be used",
        stage=Stage.PACKAGING,
        role=Role.MODEL,
        kinds=(SubjectKind.FOLDER,),
        version="1",
        rules=(MISSING,),
        options=Options,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Look at the folder's top level."""
        options = context.parsed(Options)
        card = subject.path / "README.md"
        licensed = any((subject.path / name).is_file() for name in options.files)
        if card.is_file():
            licensed = licensed or "license:" in card.read_text(encoding="utf-8", errors="replace")[:10_000]
        findings = [] if licensed else [MISSING.finding("the folder holds no licence", Location())]
        return conclude(self.info.name, subject, findings=findings, coverage=Coverage("folders", 1))
