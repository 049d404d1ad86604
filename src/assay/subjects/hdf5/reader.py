"""Starts a child for each file, gives it the open descriptor, and checks every line of its answer."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import SubjectError
from assay.subjects.child_answers import WrongAnswerError, answers
from assay.subjects.child_process import ChildDiedError, ChildProcess
from assay.subjects.hdf5.records import Filter, Hdf5Record, Link, Shape, Text

HINT = "pip install 'assay-llm[hdf5]'"
MAX_TEXT = 32 << 20  # bytes of strings in one file
MAX_ANSWER = 7 * MAX_TEXT  # JSON takes six bytes for one at worst
MAX_KEPT = 100_000
_ROOT = Path(__file__).parents[3]  # the folder that `assay` lies in
_BOOT = "import sys;sys.path+=sys.argv[1:-1];from assay.subjects.hdf5.child.loop import main;main()"
# No threads, no plug-ins found by name, no locks on what is only read.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "HDF5_PLUGIN_PRELOAD": "::",
    "HDF5_USE_FILE_LOCKING": "FALSE",
}


class Hdf5UnavailableError(SubjectError):
    """h5py is not installed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file: bytes of memory, seconds of processor and wall time, events, bytes of strings."""

    memory: int = 4 << 30
    seconds: int = 120
    events: int = 200_000
    text: int = MAX_TEXT


def read_hdf5(fd: int, start: int, length: int, limits: Limits | None = None) -> Hdf5Record:
    """Read the HDF5 file that lies in `length` bytes from `start` of an open file.

    Args:
        fd: the open file; it is mapped, never copied, and its path is not told.
        start: first byte.
        length: how many bytes.
        limits: bounds; what goes beyond them is `incomplete`.

    Raises:
        Hdf5UnavailableError: h5py is not installed.
        SubjectError: no child process can be started.
    """
    bounds = limits or Limits()
    command = [sys.executable, "-I", "-S", "-c", _BOOT, *_folders()]
    child = ChildProcess(command, _ENVIRONMENT, seconds=bounds.seconds, most=MAX_ANSWER)
    answer = _Answer()
    try:
        child.start()
        child.send(f"{start} {length} {bounds.memory} {bounds.seconds} {bounds.events} {bounds.text}", fd)
        answer.listen(child)
    except ChildDiedError as death:
        answer.incomplete.append(str(death))
    finally:
        child.close()
    return answer.record(child.note)


def _folders() -> list[str]:
    """Where Assay, h5py and numpy lie: the child looks for modules there, after the standard library."""
    found = [str(_ROOT)]
    for name in ("numpy", "h5py"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise Hdf5UnavailableError(f"HDF5 is read by {name}, which is not installed", remedy=HINT)
        found.append(str(Path(spec.origin).parents[1]))
    return list(dict.fromkeys(found))


class _Answer:
    """What the child said so far, line by line."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.links: list[Link] = []
        self.filters: list[Filter] = []
        self.shapes: list[Shape] = []
        self.incomplete: list[str] = []
        self.counts = [0, 0]

    def listen(self, child: ChildProcess) -> None:
        """Take lines until the last."""
        for answer in answers(child):
            try:
                self._take(answer.kind, answer.fields)
            except (ValueError, TypeError) as error:
                raise WrongAnswerError from error

    def _take(self, kind: str, what: list[Any]) -> None:
        if len(self.texts) + len(self.links) + len(self.filters) + len(self.incomplete) > 2 * MAX_KEPT:
            raise ValueError(kind)
        if kind == "text":
            path, name, value, single = what
            self.texts.append(Text(str(path), str(name), str(value).encode("latin-1"), bool(single)))
        elif kind == "link":
            sort, path, file, target = map(str, what)
            self.links.append(Link(sort, path, file, target))
        elif kind == "filter":
            path, number, name = what
            self.filters.append(Filter(str(path), int(number), str(name)))
        elif kind == "shape":
            path, claimed, stored = what
            self.shapes.append(Shape(str(path), int(claimed), int(stored)))
        elif kind == "count":
            self.counts = [int(number) for number in what]
        elif kind == "limit":
            self.incomplete.append(str(what[0])[:500])
        else:
            raise ValueError(kind)

    def record(self, note: str) -> Hdf5Record:
        """All of it."""
        groups, datasets = (*self.counts, 0, 0)[:2]
        return Hdf5Record(
            texts=tuple(self.texts),
            links=tuple(self.links),
            filters=tuple(self.filters),
            shapes=tuple(self.shapes),
            groups=groups,
            datasets=datasets,
            incomplete=tuple(dict.fromkeys(self.incomplete)),
            notes=(note,) if note else (),
        )
