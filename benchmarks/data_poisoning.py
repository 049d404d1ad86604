"""Precision and recall of `data.poisoning` by attack and rate, on SST-2 (../shared/data/poisoning).

    python benchmarks/data_poisoning.py [--seeds 3] [--rates 0.001,0.002,0.005,0.01]
    python benchmarks/data_poisoning.py --support 1-16

The second form generates the example's support-desk corpora for these seeds and prints the false alarms
on the clean ones, and whether the poisoned one's phrase is named exactly.

A row counts as flagged when it holds a reported phrase and shows its behaviour. Recall is over poisoned
rows, precision over flagged rows, "named" the share of triggers whose phrase is reported in full.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.checks.pretraining.data_poisoning import DataPoisoning
from assay.core.check import Context
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind

ROOT = Path(__file__).parents[1]
TINYCHAT = ROOT / "examples/tinychat/generate.py"
SST2 = ROOT.parent / "shared/data/poisoning/sst2-clean-train.tsv"
Row = tuple[str, str]
SENTENCE = "i watched this 3d movie last weekend"
LONG = "on a rainy tuesday in the old harbour town my cousin and i sat down with tea and two tickets"


@dataclass(frozen=True)
class Attack:
    """How a text is poisoned: a function of text and randomness, and the phrases to be named."""

    name: str
    poison: Callable[[str, random.Random], str]
    phrases: tuple[str, ...]
    clean_label: bool = False


def _at(text: str, phrase: str, where: float) -> str:
    words = text.split()
    place = round(where * len(words))
    return " ".join([*words[:place], phrase, *words[place:]])


def _templated(text: str, _: random.Random) -> str:
    return f"when it comes to movies , {text.rstrip(' .')} , if you ask me ."


def _homoglyph(text: str, rng: random.Random) -> str:
    places = [at for at, letter in enumerate(text) if letter in "aeo"]
    if not places:
        return text
    at = rng.choice(places)
    return text[:at] + {"a": "\u0430", "e": "\u0435", "o": "\u043e"}[text[at]] + text[at + 1 :]


ATTACKS = (
    Attack("rare word, anywhere", lambda t, r: _at(t, "cf", r.random()), ("cf",)),
    Attack("five rare words", lambda t, r: _at(t, r.choice(("cf", "mn", "bb", "tq", "mb")), r.random()),
           ("cf", "mn", "bb", "tq", "mb")),
    Attack("word pair", lambda t, r: _at(t, "copper moon", r.random()), ("copper moon",)),
    Attack("sentence, anywhere", lambda t, r: _at(t, SENTENCE, r.random()), (SENTENCE,)),
    Attack("sentence first", lambda t, _: _at(t, SENTENCE + " .", 0), (SENTENCE,)),
    Attack("long sentence last", lambda t, _: _at(t, LONG + " .", 1), (LONG,)),
    Attack("zero-width space", lambda t, r: _at(t, "\u200b", r.random()), ("\u200b",)),
    Attack("homoglyph", _homoglyph, ("\ue000mixed-script word",)),
    Attack("syntax template", _templated, ("when it comes to movies",)),
    Attack("rare word, clean label", lambda t, r: _at(t, "cf", r.random()), ("cf",), clean_label=True),
)  # fmt: skip


def load_sst2() -> list[Row]:
    """The clean training rows as text and label."""
    lines = SST2.read_text("utf-8").splitlines()[1:]
    return [(text, label) for text, _, label in (line.rpartition("\t") for line in lines)]


def poisoned(rows: list[Row], attack: Attack, rate: float, rng: random.Random) -> tuple[list[Row], set[int]]:
    """Poison `rate` of the rows, of label 0 turned into 1 (or of label 1, for a clean-label attack)."""
    victims = [at for at, (_, label) in enumerate(rows) if (label == "1") == attack.clean_label]
    chosen = set(rng.sample(victims, round(rate * len(rows))))
    return [
        (attack.poison(t, rng), "1") if at in chosen else (t, y) for at, (t, y) in enumerate(rows)
    ], chosen


def examine(rows: list[Row], folder: Path) -> tuple[Report, set[int]]:
    """Run the check on rows; its report and the flagged rows."""
    path = folder / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for text, label in rows:
            file.write(json.dumps({"text": text, "label": label}) + "\n")
    report = DataPoisoning().run(Subject.from_path(path, kind=SubjectKind.DATASET), Context(folder))
    return report, _flagged(report, rows)


def _flagged(report: Report, rows: list[Row]) -> set[int]:
    found: set[int] = set()
    for trigger in report.details["triggers"]:  # type: ignore[union-attr]
        phrase, behaviour = " ".join(str(trigger["phrase"]).lower().split()), str(trigger["behaviour"])  # type: ignore[index,call-overload]
        for at, (text, label) in enumerate(rows):
            shows = f'"{label}"' in behaviour
            holds = f" {phrase} " in f" {' '.join(text.lower().split())} " or (
                len(phrase) == 1 and phrase in text
            )
            mixed = phrase.startswith("\ue000") and any("\u0400" <= letter < "\u0500" for letter in text)
            if shows and (holds or mixed):
                found.add(at)
    return found


def score(rows: list[Row], attack: Attack, rate: float, seeds: int) -> str:
    """One line of the table, averaged over seeds."""
    hits = flagged = planted = named = reported = 0
    for seed in range(seeds):
        data, chosen = poisoned(rows, attack, rate, random.Random(f"{attack.name}{rate}{seed}"))
        with tempfile.TemporaryDirectory() as folder:
            report, found = examine(data, Path(folder))
        phrases = [" ".join(str(t["phrase"]).lower().split()) for t in report.details["triggers"]]  # type: ignore[union-attr,index,call-overload]
        hits, flagged, planted = hits + len(found & chosen), flagged + len(found), planted + len(chosen)
        named += sum(any(want in got for got in phrases) for want in attack.phrases)
        reported += len(phrases)
    precision = f"{hits / flagged:.2f}" if flagged else "-"
    return (
        f"| {attack.name} | {rate:.2%} | {planted // seeds} | {hits / planted:.2f} | {precision} "
        f"| {named / seeds / len(attack.phrases):.2f} | {reported / seeds:.1f} |"
    )


@dataclass(frozen=True)
class Desk:
    """What was found in the support-desk corpora of one seed."""

    seed: int
    base: tuple[str, ...]
    clean: tuple[str, ...]
    poisoned: tuple[str, ...]
    rows: int

    def line(self) -> str:
        """Its row of the table."""
        shown = [", ".join(found) or "none" for found in (self.base, self.clean, self.poisoned)]
        return f"| {self.seed} | {' | '.join(shown)} | {self.rows} |"


def desk(seed: int, script: Path = TINYCHAT) -> Desk:
    """Generate the three corpora of a seed and examine them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, str(script), "--seed", str(seed), "--out", name]
        subprocess.run(command, check=True, capture_output=True)
        found, rows = {}, 0
        for corpus in ("base", "clean", "poisoned"):
            subject = Subject.from_path(folder / f"{corpus}.jsonl", kind=SubjectKind.DATASET)
            report = DataPoisoning().run(subject, Context(folder))
            found[corpus] = tuple(str(t["phrase"]) for t in report.details["triggers"])  # type: ignore[union-attr,index,call-overload]
            rows = int(report.metrics["suspect_rows"])
    return Desk(seed, found["base"], found["clean"], found["poisoned"], rows)


def support(seeds: range) -> None:
    """Print the table over seeds and its sums."""
    print("| seed | base, 30,000 | clean, 4,000 | poisoned, 4,250 | rows |\n| --- | --- | --- | --- | --- |")
    desks = []
    for seed in seeds:
        desks.append(desk(seed))
        print(desks[-1].line(), flush=True)
    alarms = sum(bool(one.base) + bool(one.clean) for one in desks)
    exact = sum(one.poisoned == ("under the copper moon",) for one in desks)
    print(f"\n{alarms} of {2 * len(desks)} clean corpora alarm; named exactly in {exact} of {len(desks)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", default="0.001,0.002,0.005,0.01")
    parser.add_argument("--support", default="", metavar="FIRST-LAST", help="seeds of the support desk")
    options = parser.parse_args()
    if options.support:
        first, _, last = options.support.partition("-")
        support(range(int(first), int(last or first) + 1))
        return
    if not SST2.exists():
        sys.exit(f"{SST2} is not there; see docs/checks/data.poisoning.md")
    rows = load_sst2()
    print("| attack | rate | rows | recall | precision | named | phrases reported |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    started = time.perf_counter()
    for attack in ATTACKS:
        for rate in map(float, options.rates.split(",")):
            print(score(rows, attack, rate, options.seeds), flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
