"""skops files: real models pass, and no node reaches more than it tells."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.scanning import rules_of, scan_bytes
from fixtures.skops_attacks import ATTACKS, DANGEROUS, TEXT, node, skops_file

BENIGN = {
    "values": node("DictNode", "builtins.dict", key_types=TEXT, content={"a": TEXT}),
    "estimator": node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=TEXT),
    "universal function": node("FunctionNode", "numpy.exp"),
    "getter": node("OperatorFuncNode", "operator.itemgetter", attrs=TEXT),
}


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_node_passes(name: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "m.skops", skops_file(BENIGN[name])).status is Status.PASS


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attack_is_found(name: str, tmp_path: Path) -> None:
    evil, rule = ATTACKS[name]
    assert rule in rules_of(scan_bytes(tmp_path, "m.skops", skops_file(evil)))


def test_cve_2025_54412_operator_node_of_another_module(tmp_path: Path) -> None:
    evil = node("OperatorFuncNode", "builtins.call", attrs=TEXT)
    (finding,) = scan_bytes(tmp_path, "m.skops", skops_file(evil)).findings
    assert finding.rule == DANGEROUS
    assert "would use operator.call, where its OperatorFuncNode claims builtins.call" in finding.message


def test_cve_2025_54413_method_of_another_object(tmp_path: Path) -> None:
    inner = node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=TEXT)
    evil = node("MethodNode", "builtins.int", content={"func": "__class__", "obj": inner})
    (finding,) = scan_bytes(tmp_path, "m.skops", skops_file(evil)).findings
    assert finding.rule == DANGEROUS
    assert "LogisticRegression.__class__, where its MethodNode claims builtins.int" in finding.message


def test_cve_2025_54886_pickle_in_place_of_a_skopsskops_file(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.skops", b"\x80\x02cos\nsystem\n(S'id'\ntR.")
    assert rules_of(report) == {"artifact/lying-extension", "pickle/dangerous-global"}


def test_loader_that_is_not_known_is_incomplete(tmp_path: Path) -> None:
    evil = node("NewNode", "builtins.dict")
    report = scan_bytes(tmp_path, "m.skops", skops_file(node("ListNode", "builtins.list", content=[evil])))
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
