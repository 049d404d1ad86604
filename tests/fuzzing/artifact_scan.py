"""Fuzz `artifact.scan`: no crash, no hang, no pass where an unpickler would do what is not allowed.

    python tests/fuzzing/artifact_scan.py [--pickles 200000] [--containers 50000] [--seed 0]

Every input comes from the seed and its number alone, so that a failure can be made again. What CPython's own
three machines (C from bytes, C from a file, pure Python) import, and the `__names__` that they set, is the
oracle; they run here with a `find_class` that imports nothing, under a bound on memory and time.
"""

from __future__ import annotations

import argparse
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from assay.checks.packaging.artifact_scan import policy
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.finding import Severity
from assay.core.report import Coverage, Status, status_of
from assay.subjects.pickles.child.rules import LABELS
from assay.subjects.pickles.machine import Limits, MachinePool
from fixtures.pickle_oracle import witness
from fuzzing import containers, pickle_programs

MAX_SECONDS = 10
MEMORY = 8 << 30
_READERS: tuple[tuple[type, bool], ...] = (
    (pickle._Unpickler, False), (pickle.Unpickler, False), (pickle.Unpickler, True),
)  # fmt: skip
ALLOWED = frozenset(f"{module}.{name}" for module, name in policy.allowed())


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one input."""

    number: int
    data: bytes
    message: str


class _TimeUpError(Exception):
    pass


def inputs(kind: str, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """The inputs of a run: `pickles` or `containers`."""
    seeds = pickle_programs.corpus()
    for number in range(count):
        rng = random.Random(f"{kind}/{seed}/{number}")
        data = pickle_programs.generate(rng, seeds) if kind == "pickles" else containers.generate(rng)
        yield number, data


def foreign(kind: str, data: bytes) -> set[str]:
    """What loading `data` would import that is on no allow-list, or set that Python obeys by itself."""
    parts = [data] if kind == "pickles" else containers.contents(data)
    named: set[str] = set()
    obeyed: set[str] = set()
    for part in parts:
        for base, whole in _READERS:
            more, states = witness(base, part, whole=whole)
            named |= more
            obeyed |= states
    return (named - ALLOWED) | {f"the attribute {key}" for key in obeyed - LABELS - _asked_for()}


def _asked_for() -> set[str]:
    """Attributes `__like_this__` of which an entry of the allow-list says what they must be."""
    return {name for entry in policy.entries() for name in entry.get("attributes", ())}


def status(outcome: Outcome) -> Status:
    """As the check would conclude."""
    coverage = Coverage("files", not outcome.skipped, tuple(outcome.skipped))
    return status_of(outcome.findings, coverage, Severity.MEDIUM)


def run(kind: str, count: int, seed: int, *, workers: int = 2) -> list[Failure]:
    """Fuzz; the failures, if any."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MachinePool(Limits(seconds=5), workers, shapes=policy.shapes) as pool,
    ):
        scanner = Scanner(pool, ArtifactScanOptions(max_unpacked=1 << 40), Path(folder))

        def scan(item: tuple[int, bytes]) -> tuple[int, bytes, Outcome | str, float]:
            file = Path(folder) / f"{item[0]}.bin"
            file.write_bytes(item[1])
            began = time.monotonic()
            try:
                return (
                    *item,
                    scanner.file(file, "model.pkl" if kind == "pickles" else "model.bin"),
                    time.monotonic() - began,
                )
            except Exception as error:  # noqa: BLE001  what is looked for
                return *item, f"{type(error).__name__}: {error}", 0.0
            finally:
                file.unlink()

        failures = []
        with ThreadPoolExecutor(workers) as threads:
            for number, data, outcome, seconds in threads.map(scan, inputs(kind, count, seed), chunksize=1):
                message = _judge(kind, data, outcome, seconds)
                if message:
                    failures.append(Failure(number, data, message))
        return failures


def _judge(kind: str, data: bytes, outcome: Outcome | str, seconds: float) -> str:
    if isinstance(outcome, str):
        return f"raised {outcome}"
    if seconds > MAX_SECONDS:
        return f"took {seconds:.1f} s"
    if status(outcome) is not Status.PASS:
        return ""
    missed = _within_time(kind, data)
    return f"passes, and would import or set {sorted(missed)}" if missed else ""


def _within_time(kind: str, data: bytes) -> set[str]:
    """The oracle's word; a bomb that passed is a failure of its own and shows as a time-out there."""

    def stop(_: int, __: FrameType | None) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(MAX_SECONDS)
    try:
        return foreign(kind, data)
    except (_TimeUpError, MemoryError):
        return {"(the oracle did not end)"}
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Fuzz as the command line says; 1 where something failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pickles", type=int, default=200_000)
    parser.add_argument("--containers", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    failed = False
    for kind, count in (("pickles", arguments.pickles), ("containers", arguments.containers)):
        began = time.monotonic()
        failures = run(kind, count, arguments.seed)
        print(f"{kind}: {count:,} inputs, {len(failures)} failures, {time.monotonic() - began:.0f} s")
        for failure in failures[:20]:
            print(f"  #{failure.number} {failure.message}\n    {failure.data[:300]!r}")
        failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
