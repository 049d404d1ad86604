"""No pickle reads as clean where CPython's own machine would import what is not allowed."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from assay.subjects.pickles.machine import Limits, Machine
from fixtures.pickle_oracle import PROGRAMS, imports


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine(Limits(seconds=5))
    yield machine
    machine.close()


@pytest.mark.parametrize("base", [pickle._Unpickler, pickle.Unpickler], ids=["python", "c"])
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=PROGRAMS)
def test_nothing_imported_goes_unseen(base: type, machine: Machine, program: list[bytes]) -> None:
    data = b"".join(program) + b"."
    expected = imports(base, data)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        record = machine.read(file.fileno(), 0, len(data))
    seen = {".".join(event.what[:2]) for event in record.of("global")}
    loud = record.incomplete or record.of("frame", "extension", "computed-name", "computed-call", "junk")
    assert expected <= seen or loud, (data, expected, seen)
