"""What the outputs of other people's classifiers are about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.guard.classify.labels import read_labels


def config(folder: Path, labels: object, **more: object) -> Path:
    (folder / "config.json").write_text(json.dumps({"id2label": labels, **more}))
    return folder


@pytest.mark.parametrize(
    ("labels", "heads"),
    [
        ({"0": "BENIGN", "1": "INJECTION", "2": "JAILBREAK"}, ((), ("injection",), ("jailbreak",))),
        ({"0": "LABEL_0", "1": "LABEL_1"}, ((), ("injection", "jailbreak"))),
        ({"0": "SAFE", "1": "INJECTION"}, ((), ("injection",))),
        ({"0": "LEGIT", "1": "INJECTION"}, ((), ("injection",))),
        ({"0": "non-toxic", "1": "toxic"}, ((), ("toxicity",))),
    ],
)
def test_the_usual_names_are_known(tmp_path: Path, labels: object, heads: object) -> None:
    found = read_labels(config(tmp_path, labels, max_position_embeddings=512))
    assert (found.heads, found.exclusive, found.longest) == (heads, True, 512)


def test_labels_of_the_user_overrule(tmp_path: Path) -> None:
    config(tmp_path, {"0": "A", "1": "SAFE"})
    (tmp_path / "labels.json").write_text(json.dumps({"A": ["toxicity", "jailbreak"], "SAFE": []}))
    assert read_labels(tmp_path).heads == (("toxicity", "jailbreak"), ())


def test_scores_are_shares_where_labels_exclude_each_other_and_else_stand_alone(tmp_path: Path) -> None:
    rows = np.log(np.array([1.0, 3.0, 4.0], np.float32))
    labels = {"0": "safe", "1": "hate", "2": "insult"}
    assert read_labels(config(tmp_path, labels))(rows) == {"toxicity": pytest.approx(7 / 8)}
    alone = read_labels(config(tmp_path, labels, problem_type="multi_label_classification"))
    assert alone(rows) == {"toxicity": pytest.approx(4 / 5)}
    single = read_labels(config(tmp_path, {"0": "injection"}))
    assert single(np.array([0.0], np.float32)) == {"injection": 0.5}


@pytest.mark.parametrize(
    ("content", "own", "message"),
    [
        ("{", None, "cannot be read"),
        ("[" * 100_000, None, "cannot be read"),
        ("[]", None, "no mapping"),
        ('{"a": "' + "x" * (1 << 20) + '"}', None, "no mapping of at most 1 MiB"),
        ("{}", None, "does not name 1 to 100 outputs"),
        ('{"id2label": {"0": "SAFE", "2": "INJECTION"}}', None, "does not name"),
        (json.dumps({"id2label": {str(at): "SAFE" for at in range(101)}}), None, "does not name"),
        ('{"id2label": {"0": "SAFE", "1": "POSITIVE"}}', None, "not known what its label 'POSITIVE'"),
        ('{"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}', None, "not known what its label"),
        ('{"id2label": {"0": "SAFE", "1": "BENIGN"}}', None, "none of its labels"),
        ('{"id2label": {"0": "SAFE", "1": "JAILBREAK"}, "max_position_embeddings": 3}', None, "from 16 on"),
        ('{"id2label": {"0": "SAFE", "1": "JAILBREAK"}, "max_position_embeddings": -1}', None, "from 16 on"),
        ('{"id2label": {"0": "SAFE", "1": "JAILBREAK"}, "max_position_embeddings": 1e9}', None, "from 16 on"),
        ('{"id2label": {"0": "A"}}', "{}", "does not say what 'A'"),
        ('{"id2label": {"0": "A"}}', '{"A": ["injektion"]}', "does not say what 'A'"),
        ('{"id2label": {"0": "A"}}', '{"A": "injection"}', "does not say what 'A'"),
    ],
)
def test_what_does_not_say_what_an_output_is_about_is_refused(
    tmp_path: Path, content: str, own: str | None, message: str
) -> None:
    (tmp_path / "config.json").write_text(content)
    if own is not None:
        (tmp_path / "labels.json").write_text(own)
    with pytest.raises(ConfigError, match=message):
        read_labels(tmp_path)
