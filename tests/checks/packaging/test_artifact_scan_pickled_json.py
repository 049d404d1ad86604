"""Pickles that lie in base64 inside JSON, as stable-baselines3 unpickles them when it loads a model."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.archives import real_zip
from fixtures.baits import touching
from fixtures.opcodes import PROTO_4, STOP, given, integer, named, system
from fixtures.scanning import rules_of, scan_bytes

_SCHEDULE = given("stable_baselines3.common.utils.ConstantSchedule", val=integer(1))
_POLICY = named("stable_baselines3.common.policies.ActorCriticPolicy")


def _saved(content: bytes, key: str = ":serialized:", **more: object) -> bytes:
    """The `data` of a model, one of whose settings is pickled."""
    setting = {":type:": "<class 'x'>", key: base64.b64encode(content).decode("ascii"), **more}
    return json.dumps({"lr_schedule": setting, "gamma": 0.99}).encode()


@pytest.mark.parametrize("body", [_SCHEDULE, _POLICY, integer(1)])
def test_what_stable_baselines_writes_passes(body: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.zip", real_zip(("data", _saved(PROTO_4 + body + STOP))))
    assert report.findings == ()
    assert report.status is Status.PASS


@pytest.mark.parametrize(
    ("head", "key"),
    # That a text is a pickle of protocol 0 is told by the library's own key alone.
    [(b"", ":serialized:"), (PROTO_4, ":serialized:")]
    + [(b"\x80" + bytes([n]), "blob") for n in range(1, 6)],
)
def test_a_call_in_base64_is_found_and_does_not_run(head: bytes, key: str, tmp_path: Path) -> None:
    tripwire = tmp_path / "tripwire"
    content = head + system(touching(tripwire).command) + STOP
    report = scan_bytes(tmp_path, "model.zip", real_zip(("data", _saved(content, key))))
    assert rules_of(report) == {"pickle/dangerous-global"}
    assert not tripwire.exists()


def test_texts_that_only_look_like_base64_pass(tmp_path: Path) -> None:
    document = {"token": "gAXisnopickleatallbutlong", "words": ["gAE", "gASV"], ":serialized:": "none of it!"}
    assert scan_bytes(tmp_path, "config.json", json.dumps(document)).status is Status.PASS


def test_numbers_pickled_by_hand_pass(tmp_path: Path) -> None:
    file = {"weights": base64.b64encode(pickle.dumps([0.5] * 40)).decode("ascii")}
    assert scan_bytes(tmp_path, "weights.json", json.dumps(file)).status is Status.PASS
