"""Allowed globals in shapes that no framework writes are found; the shapes that frameworks write pass."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import pickle
import re
import types
import zoneinfo
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assay.checks.packaging.artifact_scan import policy
from assay.core.report import Status
from fixtures.baits import touching
from fixtures.opcodes import PROTO_4, STOP, call, given, integer, raw, text
from fixtures.scanning import scan
from fixtures.shape_attacks import attacks, twins

# Found as what they are, beside or instead of the misuse of an allowed global.
_OTHERS = {
    "zone-called-with-an-object": ("pickle/obfuscated",),
    "storage-with-a-pickle-of-its-own": ("pickle/dangerous-global",),
    "pickle-in-bytes-in-a-list": ("pickle/dangerous-global",),
    "pickle-in-text-for-bytes": ("pickle/dangerous-global",),
}


@pytest.mark.parametrize("name", sorted(attacks()))
def test_misuse_fails_and_does_not_run(name: str, tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    file = tmp_path / "model.pkl"
    file.write_bytes(attacks(touching(tripwire))[name])
    report = scan(file)
    assert report.status is Status.FAIL, report
    assert not tripwire.exists()
    assert {finding.rule for finding in report.findings} & {"pickle/misused-global", *_OTHERS.get(name, ())}


@pytest.mark.parametrize("name", sorted(twins()))
def test_the_shape_that_frameworks_write_passes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(twins()[name])
    report = scan(file)
    assert report.status is Status.PASS, report


def test_every_attack_has_a_twin() -> None:
    assert set(attacks()) == set(twins())


def test_the_finding_says_what_would_happen(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(PROTO_4 + given("sklearn.metrics._scorer._Scorer", _response_method=text("eval")) + STOP)
    (finding,) = scan(file).findings
    assert finding.message == (
        "Loading it would give sklearn.metrics._scorer._Scorer a state, {'_response_method': 'eval'}, that "
        "sets _response_method to something that is not 'predict' or 'predict_proba' or 'decision_function' "
        "or 'default' or a tuple of these."
    )
    assert finding.location.offset is not None


def test_the_user_may_allow_a_shape_with_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(PROTO_4 + call("pandas.DataFrame", text("x")) + STOP)
    assert scan(file).status is Status.FAIL
    assert scan(file, allow={"pandas.DataFrame": "reviewed"}).status is Status.PASS


@pytest.mark.parametrize(
    "written",
    [
        given("xgboost.core.Booster", handle=raw(b"binf")),
        given("catboost.core.CatBoostRegressor", __model=raw(b"CBM1"), iterations=integer(3)),
    ],
)
def test_a_native_parser_is_told_but_fails_nothing(written: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(PROTO_4 + written + STOP)
    report = scan(file)
    assert [(finding.rule, finding.severity.value) for finding in report.findings] == [
        ("pickle/native-parser", "low")
    ]
    assert report.status is Status.PASS


PLAIN = {
    "pattern": re.compile("a+", re.ASCII),
    "namespace": argparse.Namespace(lr=0.1, add=True),
    "simple-namespace": types.SimpleNamespace(values=[1], keys="x"),
    "constants": [..., NotImplemented],
    "errors": [ValueError("no"), KeyError("a"), OSError(2, "gone"), RuntimeWarning()],
    "slice": slice(1, None, 2),
    "zone": dt.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    "large-bytes": {
        "framed": "x" * 70_000,
        "bytes": bytes(range(256)) * 400,
        "array": bytearray(b"\x95" * 70_000),
    },
    "large-array": np.arange(40_000.0).reshape(200, 200),
    "factory": collections.defaultdict(list, a=[1]),
    "generator": np.random.default_rng(0),
    "random-state": np.random.RandomState(1),
    "masked": np.ma.array([1, 2], mask=[False, True]),
    "record": np.rec.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", PLAIN)
def test_what_people_pickle_passes(name: str, protocol: int, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(PLAIN[name], protocol))
    report = scan(file)
    assert report.status is Status.PASS, report


def test_what_follows_a_hash_bomb_is_found(tmp_path: Path) -> None:
    steps = b"".join(b"h" + bytes([index]) + b"2\x86\x94" for index in range(60))
    bomb = b"\x80\x02)\x94" + steps + b"}h\x3cK\x01s0" + b"cos\nsystem\n(S'id'\ntR."
    file = tmp_path / "bomb.pkl"
    file.write_bytes(bomb)
    report = scan(file, seconds=3)
    assert [finding.rule for finding in report.findings] == ["pickle/dangerous-global"]


@pytest.mark.parametrize("zipped", [True, False])
def test_modules_that_torch_saves_whole_pass(zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layers = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.BatchNorm1d(4), torch.nn.LSTM(4, 2),
        torch.nn.TransformerEncoderLayer(4, 2, 8),
    )  # fmt: skip
    file = tmp_path / "model.pt"
    torch.save(layers, file, _use_new_zipfile_serialization=zipped)
    assert scan(file).status is Status.PASS
    layers.register_forward_hook(print)
    torch.save(layers, file, _use_new_zipfile_serialization=zipped)
    assert "builtins.print" in str(scan(file).findings) or "__builtin__.print" in str(scan(file).findings)


def test_tensors_that_torch_pickles_pass(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    state = torch.nn.Linear(3, 2).state_dict()
    many = {f"w{index}": torch.ones(2) for index in range(300)}
    for protocol in (2, 4, 5):
        for name, value in (("state", state), ("buffer", torch.nn.Buffer(torch.ones(2))), ("many", many)):
            file = tmp_path / f"{name}.pkl"
            file.write_bytes(pickle.dumps(value, protocol))
            report = scan(file)
            assert report.status is Status.PASS, (name, protocol, report)
    torch.save(torch.nn.Buffer(torch.ones(2)), tmp_path / "buffer.pt")
    assert scan(tmp_path / "buffer.pt").status is Status.PASS


def test_no_global_stands_on_the_allow_list_twice() -> None:
    named = Counter((entry["module"], name) for entry in policy.entries() for name in entry["names"])
    assert [pair for pair, count in named.items() if count > 1] == []
