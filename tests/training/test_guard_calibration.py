"""The line that makes probabilities of scores, and the report on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training.guard.calibrate import fitted, line
from training.guard.evaluate import score, table
from training.guard.example import UNKNOWN, Example

from assay.guard.classify import LocalClassifier
from fixtures.tiny_classifier import write_classifier


def example(source: str, injection: float) -> Example:
    return Example("text", injection, UNKNOWN, UNKNOWN, source, source)


def test_a_line_that_scores_follow_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-(0.7 * logits - 1)))).astype(float)
    slope, shift = line(logits, labels, np.full(20_000, 1 / 20_000))
    assert slope == pytest.approx(0.7, abs=0.05)
    assert shift == pytest.approx(-1, abs=0.08)


def test_a_large_source_does_not_set_the_line_and_attacks_weigh_a_tenth() -> None:
    """Two harmless sources of 1,000 and 10 texts, and attacks: each score says how many of them it holds."""
    examples = [example("big", 0)] * 1_000 + [example("small", 0)] * 10 + [example("attack", 1)] * 100
    scores = np.zeros((1_110, 3))
    scores[:, 0] = [0.2] * 1_000 + [0.8] * 10 + [0.8] * 100
    slope, shift = fitted(examples, scores)[0]
    low, high = (1 / (1 + np.exp(-(slope * np.log(one / (1 - one)) + shift))) for one in (0.2, 0.8))
    assert low < 0.02
    assert high == pytest.approx(0.1 / (0.1 + 0.45), abs=0.02)
    assert fitted(examples, scores)[1] == [1.0, 0.0]  # nothing is known of the other heads


def test_texts_are_scored_as_they_are_served(tmp_path: Path) -> None:
    classifier = LocalClassifier(write_classifier(tmp_path))
    found = score(classifier, ["attack " + "river " * 700, "YXR0YWNrIGF0dGFjayB0aGUgcml2ZXIgbm93", "calm"])
    assert (found[:2, 0] > 0.9).all()
    assert found[2, 0] < 0.1
    assert (found[:, 1:] == 0).all()


def test_the_report_holds_recall_at_one_percent_with_its_interval() -> None:
    examples = [example("calm", 0)] * 100 + [example("attack", 1)] * 10
    scores = np.zeros((110, 3))
    scores[:, 0] = [0.1] * 98 + [0.3, 0.6] + [0.9] * 8 + [0.2] * 2
    rows = table(examples, scores, "injection")
    assert rows[0] == "### injection: 100 harmless texts, threshold 0.300 at 1% of them"
    assert "| attack | 10 | 0.996 | 0.800 (0.49–0.94) | 0.800 (0.49–0.94) |" in rows  # noqa: RUF001
    assert "| calm (harmless) | 100 |  | 0.010 (0.00–0.05) | 0.010 (0.00–0.05) |" in rows  # noqa: RUF001
