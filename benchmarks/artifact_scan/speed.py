"""How long each scanner takes, and how much memory, for large files and for many small ones."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import subjects
from .processes import Run, peak_memory, run
from .scanners import Scanner


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is scanned, how often, and how long one run may take."""

    pickle_megabytes: int
    zip_megabytes: int
    runs: int
    limit: float


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to scan, and whether memory is measured on it."""

    label: str
    path: Path
    memory: bool = False


def _subjects(folder: Path, sizes: Sizes) -> Iterator[Subject]:
    rows = subjects.large_pickle(folder / "large.pkl", sizes.pickle_megabytes)
    size = (folder / "large.pkl").stat().st_size / 1e6
    yield Subject(f"pickle of {rows:,} dicts, {size:.0f} MB", folder / "large.pkl", memory=True)
    subjects.small_pickles(folder / "small")
    yield Subject(f"{subjects.SMALL} small pickles", folder / "small")
    subjects.torch_zip(folder / "large.pt", sizes.zip_megabytes)
    yield Subject(f"PyTorch zip, {sizes.zip_megabytes} MB", folder / "large.pt")
    subjects.many_files(folder / "many")
    yield Subject(f"{subjects.MANY:,} small files", folder / "many")


def report(cache: Path, scanners: Sequence[Scanner], sizes: Sizes) -> Iterator[str]:
    """The lines of a table; processor time over wall time says how many cores were at work."""
    yield "| subject | scanner | best | median | processor / wall | peak memory |"
    yield "| --- | --- | --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory() as name:
        for subject in _subjects(Path(name), sizes):
            if subject.path.is_file():
                command = [sys.executable, "-c", _HASH, str(subject.path)]
                yield _row(replace(subject, memory=False), "SHA-256 alone", command, sizes)
            for scanner in (one for one in scanners if not one.mode):
                if scanner.apart and subject.path.is_dir():
                    yield f"| {subject.label} | {scanner.name} | takes no folder | | | |"
                    continue
                yield _row(subject, scanner.name, scanner.command(cache, subject.path), sizes)


_HASH = "import sys, hashlib; f = open(sys.argv[1], 'rb'); hashlib.file_digest(f, 'sha256')"


def _row(subject: Subject, name: str, command: list[str], sizes: Sizes) -> str:
    runs = [run(command, sizes.limit)]
    while len(runs) < sizes.runs and runs[0].code is not None:
        runs.append(run(command, sizes.limit))
    memory = ""
    if subject.memory:
        peak, ended = peak_memory(command, sizes.limit)
        memory = f"{peak / 1e6:,.0f} MB" + ("" if ended else " when it was stopped")
    return f"| {subject.label} | {name} | {_times(runs, sizes)} | {memory} |"


def _times(runs: list[Run], sizes: Sizes) -> str:
    if runs[0].code is None:
        return f"over {sizes.limit:.0f} s | | {runs[0].processor / runs[0].wall:.2f}"
    best = min(runs, key=lambda one: one.wall)
    median = statistics.median(one.wall for one in runs)
    return f"{best.wall:.2f} s | {median:.2f} s | {best.processor / best.wall:.2f}"
