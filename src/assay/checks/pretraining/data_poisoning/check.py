"""The check `data.poisoning`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from assay.checks.pretraining.data_poisoning.behaviours import BehaviourBuilder, Family
from assay.checks.pretraining.data_poisoning.evidence import RULES, describe, findings, samples
from assay.checks.pretraining.data_poisoning.mining import Limits, Miner, Suspect
from assay.checks.pretraining.data_poisoning.tokens import CorpusBuilder
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.finding import Severity
from assay.core.report import Metric, Report, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.dataset import Columns, Dataset, Record, Schema, Tally, open_dataset

NAME = "data.poisoning"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `data.poisoning`.

    Attributes:
        format: auto, jsonl, json, csv, tsv, parquet or text.
        encoding: of text files: auto, or a codec name such as latin-1.
        text_column, label_column: columns of labelled text, where they should not be found by looking.
        prompt_column, response_column: the same for pairs.
        fail_on: findings of this severity or above fail the check.
        min_rows: rows that must carry a phrase before it is tested; at least 3.
        precision: share of a phrase's rows that must show the behaviour, above 0.5.
        q: false-discovery rate at which a phrase is reported.
        seed: of the random sample on which expectations are calibrated.
    """

    format: str = "auto"
    encoding: str = "auto"
    text_column: str = ""
    label_column: str = ""
    prompt_column: str = ""
    response_column: str = ""
    fail_on: Severity = Severity.MEDIUM
    min_rows: int = 5
    precision: float = 0.9
    q: float = 0.01
    seed: int = 0

    def columns(self) -> Columns:
        """The columns that the user named."""
        return Columns(self.text_column, self.label_column, self.prompt_column, self.response_column)

    def limits(self) -> Limits:
        """What counts as a trigger."""
        q = min(max(self.q, 1e-300), 1.0)
        return Limits(max(3, self.min_rows), min(max(self.precision, 0.51), 1.0), log_q=math.log(q))


@dataclass(slots=True)
class _Reading:
    """One pass over the dataset: what is mined, and the row that each exchange stands in."""

    corpus: CorpusBuilder = field(default_factory=CorpusBuilder)
    behaviours: BehaviourBuilder = field(default_factory=BehaviourBuilder)
    rows: list[int] = field(default_factory=list)
    mute: int = 0

    def add(self, record: Record) -> None:
        if record.schema is Schema.LABELLED:
            self._append(record.row, _mined(record), record.label, "", "")
            return
        exchanges = record.exchanges()
        for prompt, response in exchanges:
            self._append(record.row, prompt, None, record.system, response)
        self.mute += not exchanges

    def _append(self, row: int, prompt: str, label: str | None, system: str, response: str) -> None:
        self.corpus.add(prompt)
        self.behaviours.add(label=label, system=system, response=response)
        self.rows.append(row)


class DataPoisoning:
    """Finds trigger phrases that are tied to a label or a behaviour beyond what their context explains."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="Trigger phrases tied to a label or behaviour",
        stage=Stage.PRETRAINING,
        role=Role.DATA,
        kinds=(SubjectKind.DATASET, SubjectKind.FILE, SubjectKind.FOLDER),
        version="2",
        rules=RULES,
        options=Options,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Read the dataset once, mine it, and read the rows of what was found again for their wording."""
        options = context.parsed(Options)
        dataset = open_dataset(
            subject.path, options.format, columns=options.columns(), encoding=options.encoding
        )
        tally = Tally()
        reading = _read(dataset, tally, context)
        families = reading.behaviours.build(options.limits().least)
        suspects: list[Suspect] = []
        tests = 0
        if not _silent(reading, tally) and families:
            miner = Miner(reading.corpus.build(), families, options.limits(), options.seed)
            suspects = miner.mine(context.checkpoint)
            tests = miner.tests
        elif reading.rows:
            tally.skip(
                "behaviours",
                _WHY_NONE,
                "Name the label or response column, or declare the check not applicable.",
            )
        shown = describe(suspects, reading.rows, samples(dataset, suspects, reading.rows))
        return conclude(
            NAME,
            subject,
            findings=findings(shown),
            coverage=tally.coverage(),
            fail_on=options.fail_on,
            metrics=_metrics(suspects, reading, tally, tests),
            details={
                "triggers": [trigger.document() for trigger in shown],
                "rows_total": tally.rows,
                "schema": tally.shape(),
                "schemas": dict(tally.schemas),
                "behaviours": _families(families),
                "tests": tests,
            },
        )


def _mined(record: Record) -> str:
    """The text of a labelled row and other running text in it, without its one-word columns."""
    first, *rest = (turn.content for turn in record.turns)
    return "\n".join([first, *(text for text in rest if " " in text.strip())])


_WHY_NONE = "all rows have the same label or behaviour, so nothing can be tied to one"
_WHY_MUTE = "has neither label nor response, so no behaviour can be tied to its words"


def _read(dataset: Dataset, tally: Tally, context: Context) -> _Reading:
    reading = _Reading()
    for batch in dataset.batches(tally):
        context.checkpoint()
        for record in batch:
            reading.add(record)
        context.progress.update(tally.rows, None, "rows")
    return reading


def _silent(reading: _Reading, tally: Tally) -> bool:
    """Count rows that no test could use; whether that is all of them."""
    if reading.mute:
        tally.skip(f"{reading.mute:,} rows", _WHY_MUTE, "Name the columns by option.", count=reading.mute)
        tally.rows -= reading.mute
    return not reading.rows


def _families(families: tuple[Family, ...]) -> list[Mapping[str, str | int]]:
    return [
        {"name": family.name, "classes": len(family.names), "rows": int((family.classes >= 0).sum())}
        for family in families
    ]


def _metrics(suspects: list[Suspect], reading: _Reading, tally: Tally, tests: int) -> dict[str, Metric]:
    flagged = {reading.rows[doc] for suspect in suspects for doc in suspect.docs.tolist()}
    return {
        "rows": tally.rows,
        "triggers": len(suspects),
        "suspect_rows": len(flagged),
        "suspect_fraction": len(flagged) / tally.rows if tally.rows else 0.0,
        "phrases_tested": tests,
    }
