"""Both machines judge the use of globals alike, by rules that come as text."""

from __future__ import annotations

import random
import tempfile
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan import policy
from assay.subjects.pickles.child.inert import LIVE
from assay.subjects.pickles.child.patterns import Pattern
from assay.subjects.pickles.child.rules import parse
from assay.subjects.pickles.child.symbols import UNKNOWN, Bytes, Global, Items, Symbolic
from assay.subjects.pickles.machine import Limits, Machine
from assay.subjects.pickles.records import PickleRecord
from fixtures import framework_attacks, shape_attacks
from fixtures.framework_attacks import signatures
from fuzzing.pickle_programs import program

RULES = parse(policy.shapes())
ATTACKS = {**shape_attacks.attacks(), **framework_attacks.attacks()}
TWINS = {**shape_attacks.twins(), **framework_attacks.twins()}
_WALK_ONLY = "is put aside"  # where a global goes, the C machine cannot tell


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine(Limits(seconds=5), policy.shapes)
    yield machine
    machine.close()


def _read(machine: Machine, data: bytes, *, walk: bool) -> PickleRecord:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return machine.read(file.fileno(), 0, len(data), walk=walk)


def _misuses(record: PickleRecord) -> set[tuple[str, ...]]:
    told = {event.what[:2] for event in record.of("misuse") if event.depth == 0}
    return {(name, reason) for name, reason in told if not reason.startswith(_WALK_ONLY)}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_both_machines_see_the_same_misuse(name: str, machine: Machine) -> None:
    data = ATTACKS[name]
    live, walked = (_read(machine, data, walk=walk) for walk in (False, True))
    assert _misuses(live) == _misuses(walked)


@pytest.mark.parametrize("name", sorted(TWINS))
def test_neither_machine_sees_misuse_in_what_frameworks_write(name: str, machine: Machine) -> None:
    for walk in (False, True):
        record = _read(machine, TWINS[name], walk=walk)
        assert not record.of("misuse", "computed-call"), record.of("misuse", "computed-call")


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_both_machines_agree_on_any_program(seed: int, machine: Machine) -> None:
    data = program(random.Random(seed))
    live = _read(machine, data, walk=False)
    if live.machines != ("c",):
        return  # it was walked already
    assert _misuses(live) == _misuses(_read(machine, data, walk=True)), data


@pytest.mark.parametrize(
    ("text", "fits", "not_"),
    [
        ("none or text", [None, "a"], [1, b"a", []]),
        ("=latin1", ["latin1"], ["latin-1", b"latin1", None]),
        ("integers", [(), (1, 2)], [(1, None), [1], (True,)]),
        ("empty", [(0,)], [(1,), (0, 0), [0], None]),
        ("data", [1, "a", (), [], {}, set(), b"", None, 1.5], []),
        ("attributes", [{}, None], [(), "a"]),
        ("tuple:a,b", [("a",), ("b", "a")], [("a", "c"), ("a", 1), ["a"], "a"]),
        ("number", [1, 1.5, True], ["1", None]),
        ("member", ["LINEAR", "a1"], ["_value_", "__class__", "a.b", "", b"A", None]),
        ("file-name", ["a.npy", "model.pkl_01.npy"], ["../a", "/a", "a/b", "a\\b", "c:a", ".", "", b"a"]),
        (
            "scipy-signatures",
            [signatures(), signatures(shapes="a, b, ")],
            ["", signatures("0;"), signatures() + " ", b""],
        ),
        (
            "interpolation",
            ["a", "${a}", "${a.b[0]}", "${oc.env:HOME}", "a: (b)", "${a}: (b)"],
            ["${eval:1}", "${a:f()}", "${a:b.__c__}", "${${a}:b}", "${a.${b}:c}", "${a:${b:f(}", b"a"],
        ),
    ],
)
def test_pattern(text: str, fits: list[object], not_: list[object]) -> None:
    pattern = Pattern(text)
    assert all(pattern.fits(value, LIVE) for value in fits)
    assert not any(pattern.fits(value, LIVE) for value in not_)


def test_patterns_tell_globals_by_their_use() -> None:
    reading = Symbolic(RULES)
    exp, frame = Global("numpy", "exp"), Global("pandas", "DataFrame")
    getattr_, foreign = Global("builtins", "getattr"), Global("acme", "f")
    assert Pattern("function").fits(exp, reading)
    assert not Pattern("function").fits(frame, reading)
    assert Pattern("class").fits(frame, reading)
    assert not Pattern("class").fits(exp, reading)
    assert not Pattern("any").fits(getattr_, reading)
    assert all(Pattern(word).fits(foreign, reading) for word in ("class", "function", "any"))
    assert Pattern("numpy.exp").fits(exp, reading)
    assert all(Pattern(word).fits(UNKNOWN, reading) for word in ("class", "none", "=x"))


def test_walked_containers_keep_what_a_rule_may_ask_for_beyond_their_bound() -> None:
    reading = Symbolic(RULES)
    container = Items("dict")
    many: list[object] = [item for number in range(100) for item in (f"key{number}", number)]
    container.take([*many, "__setstate__", 1, "plain", 2, "relative_path", 3], keep=64)
    assert dict(reading.pairs(container))["__setstate__"] == 1
    assert dict(reading.pairs(container))["relative_path"] == 3  # some entry says what it must be
    assert "plain" not in dict(reading.pairs(container))
    assert reading.kind(Bytes(memoryview(b"x"), text=True)) == "text"


def test_the_policy_is_well_formed() -> None:
    assert len(zlib.compress(policy.shapes().encode())) < 64 << 10  # it is one argument of the child process
    assert set(RULES) >= policy.allowed()
    for entry in policy.entries():
        assert set(entry) <= policy.KEYS, entry
        assert entry["source"], entry
    names = [(entry["module"], name) for entry in policy.entries() for name in entry["names"]]
    assert len(names) == len(set(names)), sorted(pair for pair in set(names) if names.count(pair) > 1)
    assert policy.watched() <= policy.allowed()
