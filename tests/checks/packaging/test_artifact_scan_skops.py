"""skops files: real models pass, and no node reaches more than it tells."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from assay.core.report import Status
from fixtures.archives import real_zip
from fixtures.scanning import rules_of, scan_bytes

DANGEROUS, UNKNOWN = "skops/dangerous-type", "skops/unknown-type"
TEXT = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"'}


def _node(loader: str, full: str, **more: object) -> dict[str, Any]:
    module, _, name = full.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, **more}


def _file(node: dict[str, Any]) -> bytes:
    schema = {**node, "protocol": 2, "_skops_version": "0.11"}
    return real_zip(("schema.json", json.dumps(schema).encode()))


BENIGN = {
    "values": _node("DictNode", "builtins.dict", key_types=TEXT, content={"a": TEXT}),
    "estimator": _node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=TEXT),
    "universal function": _node("FunctionNode", "numpy.exp"),
    "getter": _node("OperatorFuncNode", "operator.itemgetter", attrs=TEXT),
}
ATTACKS = {
    "object": (_node("ObjectNode", "subprocess.Popen", content=TEXT), DANGEROUS),
    "function": (_node("FunctionNode", "os.system"), DANGEROUS),
    "type": (_node("TypeNode", "builtins.eval"), DANGEROUS),
    "unknown": (_node("ObjectNode", "acme.Layer", content=TEXT), UNKNOWN),
    "nested": (_node("ListNode", "builtins.list", content=[TEXT, _node("TypeNode", "os.system")]), DANGEROUS),
    "list that is none": (_node("ListNode", "os.system", content=[]), DANGEROUS),
    "caller": (_node("OperatorFuncNode", "operator.methodcaller", attrs=TEXT), UNKNOWN),
    "method": (_node("MethodNode", "a.B", content={"func": "f", "obj": _node("ObjectNode", "a.B")}), UNKNOWN),
}


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_node_passes(name: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "m.skops", _file(BENIGN[name])).status is Status.PASS


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attack_is_found(name: str, tmp_path: Path) -> None:
    node, rule = ATTACKS[name]
    assert rule in rules_of(scan_bytes(tmp_path, "m.skops", _file(node)))


def test_cve_2025_54412_operator_node_of_another_module(tmp_path: Path) -> None:
    node = _node("OperatorFuncNode", "builtins.call", attrs=TEXT)
    (finding,) = scan_bytes(tmp_path, "m.skops", _file(node)).findings
    assert finding.rule == DANGEROUS
    assert "calls operator.call (CVE-2025-54412)" in finding.message


def test_cve_2025_54413_method_of_another_object(tmp_path: Path) -> None:
    inner = _node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=TEXT)
    node = _node("MethodNode", "builtins.int", content={"func": "__class__", "obj": inner})
    (finding,) = scan_bytes(tmp_path, "m.skops", _file(node)).findings
    assert finding.rule == DANGEROUS
    assert "LogisticRegression.__class__ (CVE-2025-54413)" in finding.message


def test_cve_2025_54886_pickle_in_place_of_a_skops_file(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.skops", b"\x80\x02cos\nsystem\n(S'id'\ntR.")
    assert rules_of(report) == {"artifact/lying-extension", "pickle/dangerous-global"}


def test_loader_that_is_not_known_is_incomplete(tmp_path: Path) -> None:
    node = _node("NewNode", "builtins.dict")
    report = scan_bytes(tmp_path, "m.skops", _file(_node("ListNode", "builtins.list", content=[node])))
    assert report.status is not Status.PASS


def test_what_skops_saves_passes(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    ensemble = pytest.importorskip("sklearn.ensemble")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pipeline = pytest.importorskip("sklearn.pipeline")
    features, labels = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]], [0, 1, 0, 1]
    forest = ensemble.RandomForestClassifier(2, random_state=0)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), forest).fit(features, labels)
    file = io.BytesIO()
    skops.dump(model, file)
    report = scan_bytes(tmp_path, "m.skops", file.getvalue())
    assert report.status is Status.PASS, report
