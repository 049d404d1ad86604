"""Keras configurations: every dangerous object is found wherever it is nested, and none of the others."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.report import Status
from fixtures.baits import touching
from fixtures.keras_attacks import DANGEROUS, attacks, foreign, typed
from fixtures.keras_models import archive, function, layer, marshalled, model, old_model
from fixtures.scanning import found, scan

TWINS: dict[str, dict[str, Any]] = {
    "bidirectional": layer("Bidirectional", {"layer": layer("GRU", {"units": 3})}),
    "named function": layer("Lambda", {"function": function("keras.ops", "relu"), "arguments": {}}),
    "old named function": layer("Lambda", {"function": "double", "function_type": "function"}),
    "custom activation": layer("Dense", {"activation": function("builtins", "my_activation")}),
    "registered": {"class_name": "acme>Layer", "config": {"name": "mine"}},
    "own script": foreign("__main__", "MyLayer", "MyLayer"),
    "Keras Hub": foreign("keras_hub.src.models.bert.bert_backbone", "BertBackbone", "keras_hub>BertBackbone"),
    "private module": foreign("keras.src.models.functional", "Functional", "Functional"),
    "private operation": foreign("keras.src.ops.numpy", "GetItem", "GetItem"),
    "legacy layer": foreign("keras._legacy.layers", "ThresholdedReLU"),
    "preprocessing layer": foreign("keras.src.layers.preprocessing.hashing", "Hashing"),
    "feature space": foreign("keras.utils", "FeatureSpace"),
    "type spec": {
        "module": "tensorflow.python.framework.tensor_spec",
        "class_name": "__typespec__",
        "spec_name": "TensorSpec",
        "config": [[None, 3], "float32", "x"],
        "registered_name": None,
    },
    "vocabulary": layer("TextVectorization", {"vocabulary": ["the", "os.system"], "vocabulary_size": 2}),
    "no vocabulary": layer("StringLookup", {"vocabulary": None}),
    "operation": {"class_name": "TFOpLambda", "config": {"name": "tf.math.add", "function": "math.add"}},
    "decoding": {"class_name": "TFOpLambda", "config": {"name": "d", "function": "io.decode_jpeg"}},
    "own optimizer of Keras 2.15": {"class_name": "Custom>Adam", "config": {"learning_rate": 0.1}},
    "no Keras object": {"class_name": "os", "module": "os", "description": "words"},
}


def write(folder: Path, document: object, name: str = "config.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize("name", sorted(attacks()))
def test_attack_is_found_in_any_model(name: str, tmp_path: Path) -> None:
    evil, expected = attacks()[name]
    compiled = model(compile_config={"loss": evil})
    nested = model(layer("TimeDistributed", {"layer": model(evil)}))
    for document in (evil, model(evil), old_model(evil), compiled, nested, [[{"model_config": model(evil)}]]):
        report = scan(write(tmp_path, document))
        assert report.status is Status.FAIL
        assert expected in found(report), report.findings


@pytest.mark.parametrize("name", sorted(TWINS))
def test_benign_twin_passes(name: str, tmp_path: Path) -> None:
    for document in (TWINS[name], model(TWINS[name]), old_model(TWINS[name])):
        report = scan(write(tmp_path, document))
        assert report.status is Status.PASS, report
        assert {severity for _, severity in found(report)} <= {"low"}


def test_plain_models_have_no_findings(tmp_path: Path) -> None:
    for document in (model(), old_model()):
        report = scan(write(tmp_path, document))
        assert (report.status, report.findings) == (Status.PASS, ())


def test_finding_tells_size_names_and_place_and_nothing_runs(tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    evil = layer("Lambda", {"function": typed({"code": marshalled(touching(tripwire)), "defaults": None})})
    (finding,) = scan(write(tmp_path, model(evil))).findings
    assert finding.location.name == "config.layers[3].config.function"
    assert finding.message.startswith("Loading it would unmarshal and call a lambda: ")
    assert "bytes of Python code that name os, " in finding.message
    assert "__import__" in finding.message
    assert finding.data["bytes"]
    assert not tripwire.exists()


def test_message_says_what_is_loaded(tmp_path: Path) -> None:
    (finding,) = scan(write(tmp_path, model(foreign("os", "system")))).findings
    assert finding.message == "Loading 'system' would import the class os.system, and call it."


def test_allowed_with_a_reason(tmp_path: Path) -> None:
    file = write(tmp_path, model(foreign("acme.layers", "Dense")))
    assert scan(file).status is Status.FAIL
    assert scan(file, allow={"acme.layers.Dense": "ours, reviewed"}).status is Status.PASS


def test_findings_are_capped_and_the_rest_is_not_clean(tmp_path: Path) -> None:
    report = scan(write(tmp_path, model(*[foreign("os", "system")] * 500)))
    assert len(report.findings) == 200
    assert report.coverage.skipped


def test_deep_nesting_is_followed_without_recursion(tmp_path: Path) -> None:
    deep: Any = foreign("os", "system")
    for _ in range(300):
        deep = {"config": [deep]}
    report = scan(write(tmp_path, deep))
    assert DANGEROUS in found(report)
    assert report.findings[0].location.name.startswith("…")


def test_json_texts_inside_json_are_read(tmp_path: Path) -> None:
    inner = json.dumps(model(foreign("os", "system")))
    assert DANGEROUS in found(scan(write(tmp_path, {"modelTopology": {"model_config": inner}})))
    too_deep = '{"class_name":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert scan(write(tmp_path, {"model_config": too_deep})).status is Status.INCOMPLETE
    many = [json.dumps({"class_name": "Dense", "config": {}})] * 1_001
    assert scan(write(tmp_path, many)).status is Status.INCOMPLETE
    assert scan(write(tmp_path, many[:900])).status is Status.PASS


WRAPS = (
    lambda inner: {"config": inner, "class_name": "Dense"},
    lambda inner: [1, None, inner],
    lambda inner: {"a": {"b": [inner, "text"]}},
    lambda inner: {"class_name": "Functional", "config": {"layers": [inner]}, "module": "keras"},
    lambda inner: {"model_config": json.dumps({"class_name": "x", "of": inner})},
)


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(attacks())), wraps=st.lists(st.sampled_from(range(len(WRAPS))), max_size=6)
)
def test_no_nesting_hides_an_attack(name: str, wraps: list[int]) -> None:
    document, expected = attacks()[name]
    wrapped: Any = document
    for index in wraps:
        wrapped = WRAPS[index](wrapped)
    with tempfile.TemporaryDirectory() as folder:
        assert expected in found(scan(write(Path(folder), wrapped)))


def test_archive_is_named_and_its_configuration_judged(tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    file.write_bytes(archive(model(), vocabulary="the\ncat\n"))
    report = scan(file)
    assert report.status is Status.PASS, report
    assert report.details["files"][0] == {"file": "model.keras", "format": "keras"}  # type: ignore[index]
    file.write_bytes(archive(model(foreign("os", "system"))))
    (finding,) = scan(file).findings
    assert (finding.location.member, finding.location.name) == ("config.json", "config.layers[3]")


def test_every_truncation_of_an_archive_is_not_clean(tmp_path: Path) -> None:
    whole = archive(old_model())
    file = tmp_path / "model.keras"
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        assert scan(file).status is not Status.PASS, length


def test_lying_names(tmp_path: Path) -> None:
    zipped = archive(model())
    for name, content in (("model.h5", zipped), ("model.hdf5", b"\x80\x04K\x01."), ("model.keras", b"words")):
        (tmp_path / name).write_bytes(content)
        assert ("artifact/lying-extension", "medium") in found(scan(tmp_path / name)), name
