"""How good a written model is, on sources it never saw: `python -m training.guard.evaluate --model FOLDER`.

Texts are scored as they are served: through windows of all that they encode, in 8-bit integers. For each
attack source: AUC and recall at 1 % false alarms against all harmless texts; for each harmless source: how
many lie above that threshold and above 0.5.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from training.guard import dataset, measured
from training.guard.example import HEADS, Example
from training.guard.metrics import auc, recall_at, threshold_at

from assay.core.proportions import wilson_interval
from assay.guard.classify import Classifier
from assay.guard.classify.windowed import WindowedClassifier
from assay.guard.decoding import views

_RATE = 0.01


def score(classifier: WindowedClassifier, texts: list[str]) -> NDArray[np.float64]:
    """The highest score of each head over a text's windows; shape (texts, heads)."""
    found = np.zeros((len(texts), len(HEADS)))
    for row, text in enumerate(texts):
        scored, _ = classifier.score(views(text))
        found[row] = [max((one.scores.get(head, 0.0) for one in scored), default=0.0) for head in HEADS]
    return found


def table(examples: list[Example], scores: NDArray[np.float64], head: str) -> list[str]:
    """The report on one head, as Markdown rows."""
    at = HEADS.index(head)
    labels = np.array([one.labels[at] for one in examples])
    harmless = scores[labels == 0, at]
    limit = threshold_at(harmless, _RATE)
    rows = [f"### {head}: {len(harmless)} harmless texts, threshold {limit:.3f} at {_RATE:.0%} of them", ""]
    rows += [
        "| source | texts | AUC | above it (95 %) | above 0.5 (95 %) |",
        "| --- | --- | --- | --- | --- |",
    ]
    of_source: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for row, one in enumerate(examples):
        if labels[row] >= 0:
            if one.source not in dataset.COPIED:
                of_source[("all attacks" if labels[row] else "all harmless", bool(labels[row]))].append(row)
            of_source[(one.source, bool(labels[row]))].append(row)
    for (source, bad), found in sorted(of_source.items(), key=lambda item: (not item[0][1], item[0][0])):
        own = scores[found, at]
        area = f"{auc(own, harmless):.3f}" if bad else ""
        rows.append(
            f"| {source}{'' if bad else ' (harmless)'} | {len(own)} | {area} "
            f"| {_rate(own > limit)} | {_rate(own > 0.5)} |"
        )
    return [*rows, ""]


def _rate(hits: NDArray[np.bool_]) -> str:
    low, high = wilson_interval(int(hits.sum()), len(hits))
    return f"{hits.mean():.3f} ({low:.2f}–{high:.2f})"  # noqa: RUF001


def summary(examples: list[Example], scores: NDArray[np.float64]) -> str:
    """One line to compare models by, on guard/dev alone."""
    parts = []
    for at, head in enumerate(HEADS):
        labels = np.array([one.labels[at] if one.source.startswith("dev/") else -1 for one in examples])
        bad, good = scores[labels > 0, at], scores[labels == 0, at]
        parts.append(f"{head} auc {auc(bad, good):.3f} recall@1% {recall_at(bad, good):.3f}")
    return "; ".join(parts)


def main() -> None:
    """Parse, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dump", type=Path, help="write each text's scores there, for looking at errors")
    parser.add_argument("--dev-only", action="store_true")
    options = parser.parse_args()
    examples = measured.dev() + ([] if options.dev_only else dataset.build(0).unseen)
    scores = score(Classifier(options.model), [one.text for one in examples])
    for head in HEADS:
        print("\n".join(table(examples, scores, head)))
    print(summary(examples, scores))
    if options.dump:
        rows = [
            {"source": one.source, "labels": one.labels, "scores": list(map(float, found)), "text": one.text}
            for one, found in zip(examples, scores, strict=True)
        ]
        options.dump.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
