"""A process that examines files for a scan in another one; see `workers`.

Standard input brings jobs, a line of JSON each, and standard output takes the outcomes back in the same form:
a process that hostile bytes took over could say something wrong, and nothing more.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from assay.checks.packaging.artifact_scan import policy
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.checks.packaging.artifact_scan.workers import Task
from assay.core.codec import from_json, to_json
from assay.subjects.pickles.child.confine import end_with_parent
from assay.subjects.pickles.machine import Limits, MachinePool


def main() -> None:
    """Serve jobs until there are no more."""
    end_with_parent(int(sys.argv[-1]))
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever prints does not get between the answers
    task = from_json(Task, json.loads(jobs.readline()))
    limits = Limits(task.options.memory, task.options.seconds)
    with MachinePool(limits, 1, shapes=policy.shapes) as pool:
        scanner = Scanner(pool, task.options, task.workspace, task.folder)
        _tell(answers, {"ready": True})
        for job in jobs:
            _tell(answers, _examined(scanner, **json.loads(job)))


def _examined(scanner: Scanner, files: list[tuple[str, str]], left: int) -> dict[str, Any]:
    scanner.unpackable = left
    outcomes: list[Outcome] = [scanner.file(Path(path), name) for path, name in files]
    try:
        told = to_json(outcomes)
    except (ValueError, RecursionError):
        return {"outcomes": None, "spent": 0}  # text that no JSON can hold
    return {"outcomes": told, "spent": left - scanner.unpackable}


def _tell(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")
    answers.flush()
