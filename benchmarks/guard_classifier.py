"""What rules and classifier find, each alone and together, on sources that training never saw.

Run: python -m benchmarks.guard_classifier [--model FOLDER] [--each 60]

`guard/dev` and the sources that `training/guard/dataset.py` leaves unseen: recall at the threshold that 1 %
of the harmless texts exceed, and how many are flagged by default, also of harmless prompts with trigger
words. With `ASSAY_TRAINING_PACKAGES` (see `training/guard/packages.txt`) the unseen packages are among them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from training.guard import dataset, measured
from training.guard.example import HEADS, Example
from training.guard.metrics import auc, threshold_at

from assay.core.proportions import wilson_interval
from assay.guard.classify import Classifier
from assay.guard.classify.classifier import MODEL
from assay.guard.classify.windowed import Scored
from assay.guard.decoding import views
from assay.guard.guard import Guard
from assay.guard.policy import parse_policy
from assay.guard.scoring import join
from assay.guard.verdict import Source
from assay.guard.views import View, Views

RATE, FLAGGED = 0.01, 0.5
RULES, WHOLE, PLAIN, ENCODED, BOTH = (
    "rules alone",
    "classifier, 512 tokens at once",
    "classifier, windows of the text",
    "classifier, windows of all it encodes",
    "rules and classifier",
)
LEXICAL = parse_policy({"layers": {"classify": {"use": "off"}}})


class Judges:
    """The guard in parts."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.windows = Guard(LEXICAL), Classifier(folder)
        self.whole = Classifier(folder, window=512)

    def scores(self, text: str) -> dict[str, Mapping[str, float]]:
        """What each part says of a text, by head."""
        matched = list(self.rules.observe(text, Source.USER).detections)
        all_views = views(text)
        scored, _ = self.windows.score(all_views)
        whole, _ = self.whole.score(Views(text, (View(text),)))
        return {
            RULES: join(matched),
            WHOLE: highest(whole),
            PLAIN: highest(one for one in scored if not one.view.views),
            ENCODED: highest(scored),
            BOTH: join([*matched, *self.windows.detections(scored)]),
        }


def highest(scored: Iterable[Scored]) -> Mapping[str, float]:
    """The highest score of each head."""
    found = dict.fromkeys(HEADS, 0.0)
    for one in scored:
        found = {head: max(found[head], one.scores[head]) for head in HEADS}
    return found


def share(hits: NDArray[np.bool_]) -> str:
    """A rate with Wilson's 95 % interval."""
    if not len(hits):
        return "–"  # noqa: RUF001
    low, high = wilson_interval(int(hits.sum()), len(hits))
    return f"{hits.mean():.3f} ({low:.2f}–{high:.2f})"  # noqa: RUF001


def rows(name: str, examples: list[Example], scores: NDArray[np.float64]) -> list[str]:
    """For each head a row of the table."""
    found = []
    for at, head in enumerate(HEADS):
        labels = np.array([one.labels[at] for one in examples])
        bad, good = scores[labels > FLAGGED, at], scores[labels == 0, at]
        limit = threshold_at(good, RATE)
        found.append(
            f"| {name} | {head} | {len(bad)} / {len(good)} | {auc(bad, good):.3f} | {share(bad > limit)} "
            f"| {share(bad >= FLAGGED)} | {share(good >= FLAGGED)} |"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--each", type=int, default=60)
    options = parser.parse_args()
    dev = measured.dev()
    unseen = [one for one in dataset.build(0, each=options.each).unseen if one.source not in dataset.COPIED]
    examples = dev + unseen
    judges = Judges(options.model)
    said = [judges.scores(one.text) for one in examples]
    parts = {
        "guard/dev": range(len(dev)),
        "unseen sources": range(len(dev), len(examples)),
        "both": range(len(examples)),
    }
    print("| part | head | attacks / harmless | AUC | recall at 1 % | attacks flagged | harmless flagged |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    trigger_words = [at for at, one in enumerate(examples) if one.source == "dev/notinject"]
    for name in (RULES, WHOLE, PLAIN, ENCODED, BOTH):
        scores = np.array([[one[name][head] for head in HEADS] for one in said])
        for part, places in parts.items():
            print("\n".join(rows(f"{name}: {part}", [examples[at] for at in places], scores[list(places)])))
        flagged = (scores[trigger_words, :2] >= FLAGGED).any(1)
        print(f"| {name}: trigger words | | 0 / {len(flagged)} | | | | {share(flagged)} |", flush=True)


if __name__ == "__main__":
    main()
