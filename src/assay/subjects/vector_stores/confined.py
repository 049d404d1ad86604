"""Starts a child process for one file or table, and checks every line of its answer."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assay.core.errors import SubjectError
from assay.subjects.child_answers import Answer, WrongAnswerError, answers
from assay.subjects.child_process import ChildDiedError, ChildProcess
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.entry import Vector

_ROOT = Path(__file__).parents[3]  # the folder that `assay` lies in
_BOOT = "import sys;sys.path[:0]=[sys.argv[1]];from assay.subjects.vector_stores.child.{} import main;main()"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANCE_CPU_THREADS": "2"}
MAX_ANSWER = 16 << 30  # bytes: a vector takes 5.4 bytes a number
_MAX_LABEL = 2_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file or table: bytes of memory beside the file, seconds of processor and wall time."""

    memory: int = 4 << 30
    seconds: int = 900


@dataclass(frozen=True, slots=True)
class Hazard:
    """A pickle of the store names code that is no part of a store: opening the store would run it.

    Attributes:
        where: which part of the store.
        name: what it names, module and attribute.
    """

    where: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its plain fields, and its vectors by name."""

    fields: Mapping[str, Any]
    vectors: Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the child said.

    Attributes:
        kind: `row`, `tables`, `segment`, `pending` or `labels`.
        row: of `row`.
        texts: the tables' names, the segment's folder, or the id of an entry whose vector is pending.
        vector: of `pending`; None where the entry was deleted.
        places: of `labels`: which place in the index each id has.
    """

    kind: str
    row: Row = field(default_factory=lambda: Row({}, {}))
    texts: tuple[str, ...] = ()
    vector: Vector | None = None
    places: Mapping[str, int] = field(default_factory=dict)


class ConfinedReader:
    """Reads one file or table in a child process that can neither write, nor call out, nor start a program.

    Args:
        path: what is read.
        tally: where it is counted what the child could not read.
        hazards: where code that the store holds is noted.
        limits: bounds.
    """

    def __init__(self, path: Path, tally: Tally, hazards: list[Hazard], limits: Limits | None = None) -> None:
        self._path, self._tally, self._hazards = path.absolute(), tally, hazards
        self._limits = limits or Limits()

    def events(self, program: str, kind: str, table: str = "") -> Iterator[Said]:
        """What the child says of what it could read; what it could not is counted.

        Args:
            program: the module of `child` that serves.
            kind: what kind of file it is told to read.
            table: which table or collection.

        Raises:
            SubjectError: the file cannot be opened, or no child can be started.
        """
        child = ChildProcess(
            self._command(program), _ENVIRONMENT, seconds=self._limits.seconds, most=MAX_ANSWER
        )
        fd = self._open()
        try:
            child.start()
            child.send(f"{kind} {self._limits.memory} {self._limits.seconds} {table}", fd)
            yield from self._listen(child)
        except ChildDiedError as death:
            self._tally.skip(
                "the rest of the store", str(death), "Check it in parts, or see whether it is damaged."
            )
        finally:
            child.close()
            os.close(fd)

    def _command(self, program: str) -> list[str]:
        site = [] if program == "lance" else ["-S"]
        return [sys.executable, "-I", *site, "-c", _BOOT.format(program), str(_ROOT), str(self._path)]

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise SubjectError(
                f"cannot be read: {error.strerror}", subject=str(self._path), remedy="Check the path."
            ) from error

    def _listen(self, child: ChildProcess) -> Iterator[Said]:
        for answer in answers(child):
            try:
                said = self._taken(answer)
            except (ValueError, TypeError) as error:
                raise WrongAnswerError from error
            if said is not None:
                yield said

    def _taken(self, answer: Answer) -> Said | None:
        kind = answer.kind
        if kind == "skip":
            what, reason = answer.text(_MAX_LABEL), answer.text(_MAX_LABEL)
            self._tally.skip(what, reason, "Repair the store, or take the entry out of it.")
        elif kind == "note":
            self._tally.note(f"the reading process is not confined in full: {answer.text(_MAX_LABEL)}")
        elif kind == "code":
            hazard = Hazard(answer.text(_MAX_LABEL), answer.text(_MAX_LABEL))
            self._hazards.append(hazard)
            reason = f"names {hazard.name}, which is no part of a store"
            self._tally.skip(hazard.where, reason, "Do not open it.")
        else:
            return _said(kind, answer.fields)
        return None


def _said(kind: str, fields: list[Any]) -> Said:
    """What the child said, taken apart.

    Raises:
        ValueError, TypeError: it never says that.
    """
    if kind == "row":
        plain, vectors = fields
        named = {str(name): _unpacked(raw) for name, raw in dict(vectors).items()}
        return Said(kind, Row(dict(plain), named))
    if kind in {"tables", "segment"}:
        (names,) = fields
        return Said(kind, texts=tuple(map(str, names if kind == "tables" else [names])))
    if kind == "pending":
        key, raw = fields
        return Said(kind, texts=(str(key),), vector=None if raw is None else _unpacked(raw))
    if kind == "labels":
        (pairs,) = fields
        return Said(kind, places={str(key): int(place) for key, place in dict(pairs).items()})
    raise ValueError(kind)


def _unpacked(raw: str) -> Vector:
    return np.frombuffer(base64.b64decode(raw, validate=True), dtype="<f4").astype(np.float32)
