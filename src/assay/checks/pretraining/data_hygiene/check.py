"""The check `data.hygiene`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from assay.checks.pretraining.data_hygiene.inspect import Inspector, Sight
from assay.checks.pretraining.data_hygiene.rules import RULES
from assay.core.canonical import JSON
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Report, conclude
from assay.core.subject import Subject, SubjectKind
from assay.guard.match import builtin
from assay.subjects.dataset import Columns, Record, Tally, open_dataset

NAME = "data.hygiene"
LISTED = 20


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `data.hygiene`.

    Attributes:
        format: auto, jsonl, json, csv, tsv, parquet or text.
        encoding: of text files: auto, or a codec name such as latin-1.
        text_column, label_column: columns of labelled text, where they should not be found by looking.
        prompt_column, response_column: the same for pairs.
        fail_on: findings of this severity or above fail the check.
    """

    format: str = "auto"
    encoding: str = "auto"
    text_column: str = ""
    label_column: str = ""
    prompt_column: str = ""
    response_column: str = ""
    fail_on: Severity = Severity.MEDIUM

    def columns(self) -> Columns:
        """The columns that the user named."""
        return Columns(self.text_column, self.label_column, self.prompt_column, self.response_column)


@dataclass(slots=True)
class _Group:
    """Equal sights of many rows."""

    sight: Sight
    file: str
    rows: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, row: int) -> None:
        if not self.rows or self.rows[-1] != row or self.count == 0:
            self.count += 1
            if len(self.rows) < LISTED:
                self.rows.append(row)

    def finding(self) -> Finding:
        sight = self.sight
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        where = "the text" if sight.role == "document" else f"{sight.role} text"
        return sight.rule.finding(
            f"{sight.title}, in {where} of {rows}: {sight.quote}"[:400],
            Location(path=self.file, row=self.rows[0], name=sight.detail),
            severity=sight.severity,
            data=self.document(),
        )

    def document(self) -> Mapping[str, JSON]:
        sight = self.sight
        return {
            "rule": sight.rule.id,
            "detail": sight.detail,
            "severity": sight.severity.value,
            "role": sight.role,
            "rows": self.count,
            "row_sample": list(self.rows),
            "example": sight.quote,
        }


class DataHygiene:
    """Finds secrets, hidden characters, injected instructions and broken encodings in training data."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="Secrets, hidden text, injected instructions and broken encodings in training data",
        stage=Stage.PRETRAINING,
        role=Role.DATA,
        kinds=(SubjectKind.DATASET, SubjectKind.FILE, SubjectKind.FOLDER),
        version="1",
        rules=RULES,
        options=Options,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Look at every row once, streaming."""
        options = context.parsed(Options)
        dataset = open_dataset(
            subject.path, options.format, columns=options.columns(), encoding=options.encoding
        )
        tally = Tally()
        inspector = Inspector(builtin())
        collector = _Collector(inspector)
        for batch in dataset.batches(tally):
            context.checkpoint()
            for record in batch:
                collector.add(record)
            context.progress.update(tally.rows, None, "rows")
        groups = list(collector.groups.values())
        return conclude(
            NAME,
            subject,
            findings=(group.finding() for group in groups),
            coverage=tally.coverage(),
            fail_on=options.fail_on,
            metrics={
                "rows": tally.rows,
                "suspect_rows": collector.rows,
                "suspect_fraction": collector.rows / tally.rows if tally.rows else 0.0,
                "refused_attempts": inspector.refused,
                **collector.counts(),
            },
            details={
                "groups": [group.document() for group in groups],
                "rows_total": tally.rows,
                "schema": tally.shape(),
                "schemas": dict(tally.schemas),
            },
        )


class _Collector:
    """Gathers sights: one group per rule, detail, severity and role."""

    def __init__(self, inspector: Inspector) -> None:
        self.inspector = inspector
        self.groups: dict[tuple[str, str, str, str], _Group] = {}
        self.rows = 0

    def add(self, record: Record) -> None:
        sights = self.inspector.look(record)
        self.rows += bool(sights)
        for key, sight in _distinct(sights):
            self.groups.setdefault(key, _Group(sight, record.file)).add(record.row)

    def counts(self) -> Mapping[str, int]:
        """Groups' rows by what they are: `secrets`, `injections`, `hidden`, `encoding`."""
        found = dict.fromkeys(("secret_rows", "injection_rows", "hidden_rows", "encoding_rows"), 0)
        for (rule, *_), group in self.groups.items():
            found[_METRIC.get(rule, "hidden_rows")] += group.count
        return found


_METRIC = {
    "hygiene/secret": "secret_rows",
    "hygiene/injected-instruction": "injection_rows",
    "hygiene/unrefused-injection": "injection_rows",
    "hygiene/mojibake": "encoding_rows",
    "hygiene/control-character": "encoding_rows",
}


def _distinct(sights: list[Sight]) -> Iterator[tuple[tuple[str, str, str, str], Sight]]:
    """Each kind of sight of a row once."""
    seen: set[tuple[str, str, str, str]] = set()
    for sight in sights:
        key = (sight.rule.id, sight.detail, sight.severity.value, sight.role)
        if key not in seen:
            seen.add(key)
            yield key, sight
