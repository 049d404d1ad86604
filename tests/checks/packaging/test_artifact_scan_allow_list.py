"""Every entry of the allow-list: honest use is no misuse, and what runs code of the class is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

import pytest

from assay.checks.packaging.artifact_scan import policy
from assay.subjects.pickles.machine import Limits, Machine
from fixtures.opcodes import NONE, PROTO_4, STOP, build, call, dict_of, given, named, new, text, tuple_of

_EXP = named("numpy.exp")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine(Limits(), policy.shapes)
    yield machine
    machine.close()


def _used(use: str) -> list[str]:
    """Full names of what is used so, where the name is one that opcodes can part from its module."""
    found = [entry for entry in policy.entries() if entry.get("use", "class") == use]
    return [f"{one['module']}.{name}" for one in found for name in one["names"] if "." not in name]


def _misused(machine: Machine, names: list[str], make: Callable[[str], bytes]) -> set[str]:
    """Which of `names` are misused by what `make` makes of each, all in one pickle; both machines agree."""
    body = b"(" + b"".join(make(name) for name in names) + b"l"
    told = []
    for walk in (False, True):
        with tempfile.TemporaryFile() as file:
            file.write(PROTO_4 + body + STOP)
            file.flush()
            record = machine.read(file.fileno(), 0, len(PROTO_4 + body + STOP), walk=walk)
        assert not record.incomplete
        told.append({event.what[0] for event in record.of("misuse")})
    assert told[0] == told[1]
    return told[0]


@pytest.mark.parametrize(
    "make",
    [
        call,
        lambda name: call(name, text("x")),
        lambda name: new(name, text("x")),
        lambda name: given(name, __setstate__=_EXP),
        lambda name: given(name, __class__=_EXP),
        lambda name: given(name, forward=_EXP),
        lambda name: build(new(name), tuple_of(NONE, dict_of(__setstate__=_EXP))),
        lambda name: new(name) + _EXP + b"a",
        lambda name: new(name) + text("__setstate__") + _EXP + b"s",
    ],
    ids=["called", "called with", "new with", "setstate", "class", "method", "slots", "appended", "item"],
)
def test_what_would_run_code_of_an_instance_is_misuse(make: Callable[[str], bytes], machine: Machine) -> None:
    names = _used("instance")
    missed = set(names) - _misused(machine, names, make)
    # A dict whose items nobody takes for attributes, and states that are a tuple of their own.
    assert missed <= {"statsmodels.tools.decorators.ResettableCache"}, sorted(missed)


def test_an_instance_without_more_is_no_misuse(machine: Machine) -> None:
    names = _used("instance")
    assert len(names) > 2_000
    assert _misused(machine, names, new) == set()


def test_a_member_of_an_enumeration_is_made_of_plain_data(machine: Machine) -> None:
    names = _used("enum")
    assert _misused(machine, names, lambda name: call(name, text("a"))) == set()
    assert _misused(machine, names, lambda name: call(name, _EXP)) == set(names)
    assert _misused(machine, names, lambda name: given(name, _value_=_EXP)) == set(names)


@pytest.mark.parametrize("use", ["function", "constant", "type"])
def test_what_is_only_named_may_not_be_called(use: str, machine: Machine) -> None:
    names = _used(use)
    assert _misused(machine, names, named) == set()
    assert _misused(machine, names, call) == set(names)
