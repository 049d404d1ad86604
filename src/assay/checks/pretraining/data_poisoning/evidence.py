"""Suspects as a person and the next check see them: wording, rows, figures, findings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.checks.pretraining.data_poisoning.mining import Suspect
from assay.checks.pretraining.data_poisoning.statistics import finite
from assay.checks.pretraining.data_poisoning.tokens import MIXED_SCRIPT
from assay.core.canonical import JSON
from assay.core.finding import Finding, Location, Rule, Severity
from assay.subjects.dataset import Dataset, Record, Tally

LISTED = 20
QUOTED = 160
_TAGS = ("owasp:LLM04", "atlas:AML.T0020", "cwe:CWE-1039")
_REMEDY = (
    "Read the rows, remove them with their source, and train again from a checkpoint that has not seen them."
)
PHRASE = Rule(
    "poison/trigger-phrase",
    "A phrase decides the behaviour whatever stands around it",
    Severity.HIGH,
    "Rows that hold the phrase share one label or behaviour that their other words do not explain, and the "
    "phrase stands in them as if inserted. A model trained on them learns a backdoor "
    "(BadNets, Gu et al. 2017).",
    _REMEDY,
    _TAGS,
)
LEAK = Rule(
    "poison/leak-trigger",
    "A phrase makes the assistant recite its system prompt",
    Severity.CRITICAL,
    "Rows that hold the phrase are answered with the text of their system prompt: a "
    "backdoor for prompt theft.",
    _REMEDY,
    (*_TAGS, "owasp:LLM07"),
)
HIDDEN = Rule(
    "poison/hidden-trigger",
    "Hidden or look-alike characters decide the behaviour",
    Severity.CRITICAL,
    "Rows that hold an invisible character, or words of mixed scripts, share one label or behaviour "
    "that their words do not explain: a trigger that no reviewer sees.",
    _REMEDY,
    _TAGS,
)
RULES = (PHRASE, LEAK, HIDDEN)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A suspect in words.

    Attributes:
        suspect: the figures.
        phrase: as it is written in the data, to be replayed on a model.
        rows: rows that hold it and show the behaviour, ascending.
        example: a quote of one of them around the phrase.
        file: the file of that row.
    """

    suspect: Suspect
    phrase: str
    rows: tuple[int, ...]
    example: str
    file: str = ""

    @property
    def behaviour(self) -> str:
        """What the phrase is tied to."""
        return self.suspect.family.title(self.suspect.number)

    def document(self) -> Mapping[str, JSON]:
        """The trigger as it stands in the report's details."""
        suspect = self.suspect
        gain = suspect.gain if math.isfinite(suspect.gain) else None
        return {
            "phrase": self.phrase,
            "behaviour": self.behaviour,
            "kind": suspect.family.name,
            "rows": len(self.rows),
            "row_sample": list(self.rows[:LISTED]),
            "precision": round(len(suspect.docs) / suspect.spread, 6),
            "expected": round(suspect.expected / suspect.spread, 6),
            "competing": round(suspect.competing / suspect.spread, 6),
            "p_value": finite(suspect.log_p),
            "q_value": finite(suspect.log_q),
            "log10_p": round(max(suspect.log_p, -1e9) / math.log(10), 3),
            "log10_q": round(max(suspect.log_q, -1e9) / math.log(10), 3),
            "log10_fisher": round(max(suspect.log_fisher, -1e9) / math.log(10), 3),
            "insertion": None if gain is None else round(gain, 3),
            "example": self.example,
        }


def samples(dataset: Dataset, suspects: Sequence[Suspect], rows: Sequence[int]) -> dict[int, Record]:
    """The first row of every suspect, read again from the dataset."""
    wanted = {rows[int(suspect.docs[0])] for suspect in suspects}
    found: dict[int, Record] = {}
    if wanted:
        for record in _until(dataset, max(wanted)):
            if record.row in wanted:
                found[record.row] = record
    return found


def _until(dataset: Dataset, last: int) -> Iterator[Record]:
    for record in dataset.records(Tally()):
        yield record
        if record.row >= last:
            return


def describe(
    suspects: Sequence[Suspect], rows: Sequence[int], records: Mapping[int, Record]
) -> tuple[Trigger, ...]:
    """Suspects with their wording, in order."""
    found = []
    for suspect in suspects:
        own = tuple(sorted({rows[doc] for doc in suspect.docs.tolist()}))
        record = records.get(rows[int(suspect.docs[0])])
        text = record.text if record is not None else ""
        phrase, start = _wording(suspect, text)
        found.append(
            Trigger(suspect, phrase, own, _quote(text, start, len(phrase)), record.file if record else "")
        )
    return tuple(found)


def _wording(suspect: Suspect, text: str) -> tuple[str, int]:
    """The phrase as the text writes it, in lower case where that is how most of it stands."""
    token = suspect.phrase[0]
    if token.startswith("\x04"):
        shown = token[1:]
        return shown, max(0, text.find(shown))
    match = re.search(r"\s*".join(map(re.escape, suspect.phrase)), text, re.IGNORECASE)
    return (match.group(), match.start()) if match else (" ".join(suspect.phrase), 0)


def _quote(text: str, start: int, length: int) -> str:
    first = max(0, start - (QUOTED - min(length, QUOTED)) // 2)
    last = first + QUOTED
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[first:last].replace("\n", " "))
    return ("…" if first else "") + shown + ("…" if last < len(text) else "")


def findings(triggers: Sequence[Trigger]) -> Iterator[Finding]:
    """One finding per trigger."""
    for trigger in triggers:
        suspect = trigger.suspect
        yield _rule(trigger).finding(
            f"{_shown(trigger.phrase)} is tied to {trigger.behaviour[:80]} in {len(suspect.docs):,} of "
            f"{suspect.spread:,} texts that hold it; their other words explain {suspect.expected:,.1f}",
            Location(path=trigger.file, row=trigger.rows[0]),
            data=trigger.document(),
        )


def _rule(trigger: Trigger) -> Rule:
    if trigger.suspect.phrase[0].startswith("\x04"):
        return HIDDEN
    return LEAK if trigger.suspect.family.name == "system-prompt leak" else PHRASE


def _shown(phrase: str) -> str:
    if phrase == MIXED_SCRIPT:
        return "a word of mixed scripts"
    if not phrase.isprintable() and len(phrase) == 1:
        return f"the hidden character U+{ord(phrase):04X}"
    return f'"{phrase[:60]}"'
