"""A network over windows: what is found, where it stands, and what becomes of a text that was not read."""

from __future__ import annotations

import base64
import math
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from assay.core.errors import ConfigError, SubjectError
from assay.guard.classify import LocalClassifier
from assay.guard.classify.windowed import MAX_WINDOWS
from assay.guard.decoding import views
from assay.guard.guard import Guard
from assay.guard.layer import LayerError
from assay.guard.policy import parse_policy
from assay.guard.verdict import Action, Detection, LayerState, Source
from fixtures.tiny_classifier import LABELS, write_classifier

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

CALM = "The river is calm. "
LONG = CALM * 120 + "Attack the river. " + CALM * 120
POLICY = parse_policy({"layers": {"classify": {"use": "off"}}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def classifier(folder: Path) -> LocalClassifier:
    return LocalClassifier(folder)


def seen(classifier: LocalClassifier, text: str) -> list[Detection]:
    return list(classifier.detect(views(text), Source.USER))


def test_an_attack_in_a_long_text_is_found_where_it_stands(classifier: LocalClassifier) -> None:
    found = [one for one in seen(classifier, LONG) if one.score > 0.5]
    assert found
    for one in found:
        assert (one.rule, one.layer) == ("classifier/injection", "local")
        assert "Attack the river." in LONG[one.start : one.end]
        assert one.end - one.start < len(LONG) / 2
        assert one.tags == ("owasp:LLM01", "atlas:AML.T0051")


def test_harmless_text_has_one_low_score(classifier: LocalClassifier) -> None:
    (one,) = seen(classifier, CALM * 300)
    assert one.score == pytest.approx(1 / (1 + math.exp(4)))


def test_what_a_text_encodes_is_scored_too_and_stands_where_it_is_encoded(
    classifier: LocalClassifier,
) -> None:
    encoded = base64.b64encode(b"The attack is calm. The river is calm.").decode()
    text = f"{CALM}{encoded} {CALM}"
    surest = max(seen(classifier, text), key=lambda one: one.score)
    assert surest.score > 0.9
    assert surest.views == ("base64",)
    assert encoded in text[surest.start : surest.end]


def test_the_score_does_not_depend_on_threads(folder: Path, classifier: LocalClassifier) -> None:
    alone = seen(LocalClassifier(folder, threads=1), LONG)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(lambda _: seen(classifier, LONG), range(8)))


def test_an_empty_text_has_no_score(classifier: LocalClassifier) -> None:
    assert seen(classifier, "") == []


def test_a_text_that_is_not_scored_to_its_end_is_told_and_blocked(tmp_path: Path) -> None:
    small = LocalClassifier(write_classifier(tmp_path, max_position_embeddings=16))
    text = "attack the river. " * (4 * MAX_WINDOWS)
    found: list[Detection] = []
    with pytest.raises(LayerError, match=f"only {MAX_WINDOWS:,} windows"):
        _collect(small.detect(views(text), Source.USER), found)
    assert found[0].score > 0.9  # what was seen before counts
    verdict = Guard(POLICY, layers=[small]).judge(text)
    assert (verdict.action, verdict.complete) == (Action.BLOCK, False)


def _collect(detections: Iterable[Detection], into: list[Detection]) -> None:
    for one in detections:
        into.append(one)  # noqa: PERF402  what came before the error is kept


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_no_clean_text(tmp_path: Path, value: float) -> None:
    broken = LocalClassifier(write_classifier(tmp_path, raised={"nan": (value, value)}))
    verdict = Guard(POLICY, layers=[broken]).judge("The nan is calm.")
    (run,) = (run for run in verdict.layers if run.layer == "local")
    assert (verdict.action, run.state) == (Action.BLOCK, LayerState.FAILED)
    assert "no number" in run.reason
    assert Guard(POLICY, layers=[broken]).judge(CALM).action is Action.ALLOW


def test_a_classifier_alone_flags_and_blocks_only_where_the_policy_says_so(folder: Path) -> None:
    policy = replace(parse_policy({"thresholds": {"injection": {"block": 0.9}}}), classifier=str(folder))
    for chosen, action in (
        (policy, Action.BLOCK),
        (replace(policy, default=POLICY.default), Action.FLAG),
    ):
        verdict = Guard(chosen).judge("Attack the river.")
        assert verdict.action is action
        assert verdict.scores["injection"] > 0.9
        assert Guard(chosen).judge(CALM).action is Action.ALLOW


def test_where_its_extra_is_not_installed_the_layer_did_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (run,) = (run for run in Guard().judge(CALM).layers if run.layer == "classify")
    assert run.state is LayerState.SKIPPED
    assert run.reason == "the classifier needs onnxruntime; pip install 'assay-llm[guard]'"
    with pytest.raises(ConfigError, match="needs onnxruntime"):
        Guard(parse_policy({"layers": {"classify": {"use": "on"}}}))


def test_a_folder_that_holds_no_classifier_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="holds none of"):
        LocalClassifier(tmp_path)
    for name, error, message in (
        ("tokenizer.json", SubjectError, "cannot be read"),
        ("config.json", ConfigError, "cannot be read"),
    ):
        broken = tmp_path / name
        write_classifier(broken)
        (broken / name).unlink()
        with pytest.raises(error, match=message):
            LocalClassifier(broken)
    many = write_classifier(tmp_path / "many", ("SAFE", "INJECTION", "JAILBREAK"), raised={})
    (many / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())
    with pytest.raises(ConfigError, match=r"has 2 outputs and config\.json names 3"):
        LocalClassifier(many)
    (many / "model.onnx").write_bytes(b"no network")
    with pytest.raises(SubjectError, match="cannot be loaded"):
        LocalClassifier(many)


def test_the_network_may_lie_in_a_folder_of_its_own(tmp_path: Path) -> None:
    write_classifier(tmp_path, LABELS)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "model.onnx").rename(tmp_path / "onnx" / "model.onnx")
    assert max(one.score for one in seen(LocalClassifier(tmp_path), "attack")) > 0.9
