"""A process that examines files for a scan in another one; see `workers`.

Standard input brings pickled jobs of that process, standard output takes the outcomes back. Nothing of what
is examined is ever unpickled here or there.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import IO

from assay.checks.packaging.artifact_scan import policy
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.subjects.pickles.machine import Limits, MachinePool

READY = "ready"


def main() -> None:
    """Serve jobs until there are no more."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever prints does not get between the answers
    options, workspace = pickle.load(jobs)  # noqa: S301  from the process that started this one
    limits = Limits(options.memory, options.seconds)
    with MachinePool(limits, 1, shapes=policy.shapes()) as pool:
        scanner = Scanner(pool, options, workspace)
        _tell(answers, READY)
        while True:
            try:
                files, left = pickle.load(jobs)  # noqa: S301  as above
            except EOFError:
                return
            scanner.unpackable = left
            outcomes = [scanner.file(*file) for file in files]
            _tell(answers, (outcomes, left - scanner.unpackable))


def _tell(answers: IO[bytes], answer: object) -> None:
    pickle.dump(answer, answers)
    answers.flush()
