"""Parts of a distributed PyTorch checkpoint: `.distcp` files, one zip of `torch.save` after another.

Source: torch/distributed/checkpoint/filesystem.py: every tensor and object is saved on its own, and its range
of bytes stands in `.metadata` beside. Zip readers would open the last alone; here each is examined as a file.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import torch_zips
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.errors import SubjectError
from assay.subjects.archives.zip_directory import read_directory
from assay.subjects.archives.zip_end import END, EOCD

SUFFIX = ".distcp"
KIND = "pytorch-distributed"
MAX_PARTS = 100_000
MAX_TRIES = 8  # ends of a zip that numbers of a tensor may read as


def inspect(blob: Blob, inspection: Inspection) -> bool:
    """Examine each zip of a part of a checkpoint; False where it is anything else."""
    saved = _parts(blob)
    if saved:
        inspection.outcome.rename(blob, KIND)
    for part in saved:
        inspection.examine(part)
    return bool(saved)


def _parts(blob: Blob) -> Sequence[Blob]:
    """The zips that it is made of, to the last byte; none where it is made of anything else."""
    if not blob.name.lower().endswith(SUFFIX):
        return ()
    found: list[Blob] = []
    at = blob.start
    while at < blob.end and len(found) < MAX_PARTS:
        after = _end_of_zip(blob, at)
        if not after:
            return ()
        found.append(blob.member_at(str(len(found)), at, after - at))
        at = after
    return found if at == blob.end and len(found) > 1 else ()


def _end_of_zip(blob: Blob, start: int) -> int:
    """Where the PyTorch zip ends that begins at `start` and agrees with itself; 0 where there is none."""
    at = start
    for _ in range(MAX_TRIES):
        at = blob.data.find(EOCD, at, blob.end)
        if at < 0 or at + END.size > blob.end:
            return 0
        after = at + END.size
        try:
            directory = read_directory(blob.data, start, after)
        except SubjectError:
            directory = None
        if directory and not directory.problems and (directory.base, directory.after) == (start, after):
            return after if torch_zips.layout_of(directory).kind == torch_zips.CHECKPOINT else 0
        at += len(EOCD)
    return 0
