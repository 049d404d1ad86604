"""Fit each head's line to the validation texts: `python -m training.guard.calibrate --model FOLDER`.

Platt (1999): probability = sigmoid(slope * logit + shift), fitted on the highest logit of a text's windows,
as it is served. Each source weighs alike: a large one must not set the line. Attacks weigh a tenth of all:
what is served is mostly harmless, and nobody knows how mostly.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from training.guard import dataset
from training.guard.evaluate import score
from training.guard.example import HEADS, Example

from assay.guard.classify import Classifier

_STEPS, _RIDGE = 100, 1e-3
_ATTACKS = 0.1  # of what is served, for the line; an assumption


def line(
    logits: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and shift of the weighted logistic regression, by Newton's method."""
    rows = np.stack([logits, np.ones_like(logits)], 1)
    found = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weights * (chance - labels)) + _RIDGE * (found - (1.0, 0.0))
        curve = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + _RIDGE * np.eye(2)
        found = found - np.linalg.solve(curve, slope)
    return float(found[0]), float(found[1])


def fitted(examples: list[Example], scores: NDArray[np.float64]) -> list[list[float]]:
    """A line for each head."""
    logits = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / np.clip(1 - scores, 1e-6, 1))
    lines = []
    for at in range(len(HEADS)):
        labels = np.array([one.labels[at] for one in examples])
        known = labels >= 0
        sides = [(one.source, labels[row] > 0) for row, one in enumerate(examples)]
        size = Counter(side for side, here in zip(sides, known, strict=True) if here)
        sources = Counter(bad for _, bad in size)
        share = {True: _ATTACKS, False: 1 - _ATTACKS}
        weights = np.array(
            [share[side[1]] / (size[side] * sources[side[1]]) if size[side] else 0.0 for side in sides]
        )
        lines.append([round(one, 4) for one in line(logits[known, at], labels[known], weights[known])])
    return lines


def main() -> None:
    """Parse, fit, write the lines into `model.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    path = options.model / "model.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["calibration"] = [[1.0, 0.0]] * len(HEADS)
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    examples = dataset.build(0).validation
    facts["calibration"] = fitted(examples, score(Classifier(options.model), [one.text for one in examples]))
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(dict(zip(HEADS, facts["calibration"], strict=True)))


if __name__ == "__main__":
    main()
