"""The model that ships can be trained on: its weights multiplied out give the scores it gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

torch = pytest.importorskip("torch")

from training.guard.encoder import Encoder, Guard  # noqa: E402
from training.guard.export import GOLDEN, GUARD, whole  # noqa: E402
from training.guard.restore import restored  # noqa: E402


def test_the_weights_that_ship_multiplied_out_give_the_golden_scores() -> None:
    golden = json.loads(Path(GOLDEN).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(GUARD / "tokenizer.json"))
    tokenizer.enable_truncation(96)
    network = Guard(Encoder())
    network.load_state_dict(restored(GUARD / "model.onnx", None))
    found = whole(network, tokenizer, [one["text"] for one in golden])
    expected = np.array([one["logits"] for one in golden])
    assert np.abs(1 / (1 + np.exp(-found)) - 1 / (1 + np.exp(-expected))).mean() < 0.02


def test_the_mean_of_weights_is_theirs_and_of_one_network() -> None:
    average = pytest.importorskip("training.guard.average")
    ones, threes = ({"a": torch.full((2,), value)} for value in (1.0, 3.0))
    assert average.mean([ones, threes])["a"].tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="different networks"):
        average.mean([ones, {"b": torch.ones(2)}])
