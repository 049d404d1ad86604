"""What rules and classifier find, each alone and together, on sources that training never saw.

Run: python -m benchmarks.guard_classifier [--model FOLDER] [--each 60]

`guard/dev` and the sources that `training/guard/dataset.py` leaves unseen: recall at the threshold that 1 %
of the harmless texts exceed, and how many are flagged by default, also of harmless prompts with trigger
words.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from training.guard import dataset, measured
from training.guard.example import HEADS, Example
from training.guard.metrics import auc, threshold_at

from assay.core.proportions import wilson_interval
from assay.guard.classify import Classifier
from assay.guard.classify.classifier import MODEL
from assay.guard.decoding import views
from assay.guard.guard import Guard
from assay.guard.policy import parse_policy
from assay.guard.scoring import join
from assay.guard.verdict import Source
from assay.guard.views import View, Views

RATE, FLAGGED = 0.01, 0.5
LEXICAL = parse_policy({"layers": {"classify": {"use": "off"}}})
Scorer = Callable[[str], Mapping[str, float]]


def scorers(folder: Path) -> dict[str, Scorer]:
    """The guard in parts."""
    rules, windows, whole = Guard(LEXICAL), Classifier(folder), Classifier(folder, window=512)

    def alone(classifier: Classifier, seen: Views) -> Mapping[str, float]:
        return join(classifier.detect(seen, Source.USER))

    def both(text: str) -> Mapping[str, float]:
        seen = rules.observe(text, Source.USER).detections
        return join([*seen, *windows.detect(views(text), Source.USER)])

    return {
        "rules alone": lambda text: rules.judge(text).scores,
        "classifier, 512 tokens at once": lambda text: alone(whole, Views(text, (View(text),))),
        "classifier, text as it is": lambda text: alone(windows, Views(text, (View(text),))),
        "classifier, and what it encodes": lambda text: alone(windows, views(text)),
        "rules and classifier": both,
    }


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
    dev, unseen = measured.dev(), dataset.build(0, each=options.each).unseen
    parts = {"guard/dev": dev, "unseen sources": unseen, "both": dev + unseen}
    print("| part | head | attacks / harmless | AUC | recall at 1 % | attacks flagged | harmless flagged |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    trigger_words = np.array([one.source == "dev/notinject" for one in dev])
    for name, scorer in scorers(options.model).items():
        scored = {
            part: np.array([[scorer(one.text)[head] for head in HEADS] for one in examples])
            for part, examples in (("guard/dev", dev), ("unseen sources", unseen))
        }
        scored["both"] = np.concatenate(list(scored.values()))
        for part, examples in parts.items():
            print("\n".join(rows(f"{name}: {part}", examples, scored[part])), flush=True)
        flagged = (scored["guard/dev"][trigger_words, :2] >= FLAGGED).any(1)
        print(
            f"| {name}: prompts with trigger words | | 0 / {len(flagged)} | | | | {share(flagged)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
