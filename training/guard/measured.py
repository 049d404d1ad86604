"""Texts that only measure: `guard/dev`, never trained on.

Its sums were seen when the mean that ships was chosen (MODEL_CARD.md).

The first rows of each file were read while templates were written, to see how the files are laid out, and
some templates echo them. Those rows are left out, so that no number speaks of a text its author had seen.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import islice
from pathlib import Path

from training.guard.example import UNKNOWN, Example
from training.guard.sources import shared_data

# Rows read at the head of each file, or of each named part of it.
_READ_NOTINJECT, _READ_EACH_PART, _READ_SUFFIXES, _READ_COMMENTS = 8, 3, 1, 12


def _dev(name: str) -> Path:
    return shared_data() / "guard" / "dev" / name


def dev() -> list[Example]:
    """All of guard/dev, a source a file or a named part of it."""
    return [*_notinject(), *_injecguard(), *_suffixes(), *_comments()]


def _notinject() -> list[Example]:
    rows = json.loads(_dev("notinject-one.json").read_text(encoding="utf-8"))
    return [
        Example(row["prompt"], 0.0, 0.0, 0.0, "dev/notinject", f"notinject/{row['category']}")
        for row in rows[_READ_NOTINJECT:]
    ]


def _injecguard() -> list[Example]:
    found, of_part = [], Counter[str]()
    for row in json.loads(_dev("injecguard-valid.json").read_text(encoding="utf-8")):
        of_part[row["source"]] += 1
        if of_part[row["source"]] <= _READ_EACH_PART:
            continue
        jailbreak = row["label"] == 1 and "jailbreak" in row["source"]
        labels = (0.0, 0.0) if row["label"] == 0 else (UNKNOWN, 1.0) if jailbreak else (1.0, UNKNOWN)
        found.append(Example(row["prompt"], *labels, UNKNOWN, f"dev/{row['source']}", row["source"]))
    return found


def _suffixes() -> list[Example]:
    rows = json.loads(_dev("jailbreakbench-gcg.json").read_text(encoding="utf-8"))["jailbreaks"]
    return [
        Example(row["prompt"], UNKNOWN, 1.0, UNKNOWN, "dev/jbb-gcg", "jbb-gcg")
        for row in rows[_READ_SUFFIXES:]
        if row.get("prompt")
    ]


def _comments() -> list[Example]:
    with _dev("toxicity-surge.csv").open(encoding="utf-8", newline="") as file:
        return [
            Example(row["text"], UNKNOWN, UNKNOWN, float(row["is_toxic"] == "Toxic"), "dev/surge", "surge")
            for row in islice(csv.DictReader(file), _READ_COMMENTS, None)
        ]
