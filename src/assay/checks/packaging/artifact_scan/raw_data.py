"""Files of bare numbers: judged by the model file that says which of its tensors lie in them.

ONNX keeps large tensors in files without any structure, TensorFlow in the shards of a checkpoint. Such a file
was looked at like any other, as pickle, archive and text; where nothing was recognised in it, and model files
of the same subject name every byte of it as a tensor's, it counts as examined.
"""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from assay.checks.packaging.artifact_scan import formats, rules
from assay.checks.packaging.artifact_scan.blob import Claim, Outcome
from assay.checks.packaging.artifact_scan.subject_files import file_of
from assay.core.finding import Finding, Location
from assay.core.report import Skipped

MAX_MISSING = 20
MAX_FINDINGS = 20
UNKNOWN = (formats.NOT_JUDGED, formats.CUT_OFF)  # how the reason ends of what was not recognised
# What a name of these would be run or loaded as is not told by a model that claims its bytes.
_CODE = frozenset({
    ".py", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".ps1", ".js",
    ".jar", ".class", ".wasm", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".npy", ".npz",
    ".keras", ".h5", ".rds", ".onnx", ".pb", ".tflite", ".mlmodel", ".pte", ".gguf", ".msgpack",
    ".nemo", ".zip", ".tar", ".7z", ".rar",
})  # fmt: skip


def settle(outcomes: Sequence[Outcome], folder: Path | None) -> None:
    """Compare what model files say of other files with those; lift what is raw numbers and nothing else."""
    claims: dict[str, list[Claim]] = defaultdict(list)
    for outcome in outcomes:
        for claim in outcome.claims:
            claims[claim.file].append(claim)
    if not claims:
        return
    sizes = {name: size for outcome in outcomes for name, size in outcome.unknown.items()}
    for outcome in outcomes:
        _ranges(outcome, sizes, folder)
        for name, size in list(outcome.unknown.items()):
            if name in claims and _is_raw(name, size, claims[name], folder):
                _lift(outcome, name)


def _ranges(outcome: Outcome, sizes: Mapping[str, int], folder: Path | None) -> None:
    """Report what the claims of one file get wrong, and note which files are not there."""
    missing: dict[str, None] = {}
    wrong = 0
    for claim in outcome.claims:
        size = sizes.get(claim.file, _size(claim.file, folder))
        if size is None:
            missing[claim.file] = None
        elif max(claim.start, claim.end or 0) > size and wrong < MAX_FINDINGS:
            wrong += 1
            outcome.findings.append(_beyond(claim, size))
    for name in list(missing)[:MAX_MISSING]:
        outcome.notes.add(f"{name}: its tensors were not there to be examined")


def _beyond(claim: Claim, size: int) -> Finding:
    end = "the end" if claim.end is None else f"{claim.end:,}"
    message = (
        f"Tensor {claim.owner.name[:60]!r} takes bytes {claim.start:,} to {end} of {claim.file[-80:]!r}, "
        f"which has {size:,}."
    )
    return rules.graphs.RANGE.finding(message, Location(claim.owner.path, claim.owner.member))


def _size(name: str, folder: Path | None) -> int | None:
    path = file_of(name, folder)
    return path.stat().st_size if path is not None else None


def _is_raw(name: str, size: int, claims: Sequence[Claim], folder: Path | None) -> bool:
    """Whether the claims cover the file; what lies between them must be zero."""
    if PurePosixPath(name).suffix.lower() in _CODE:
        return False
    at, gaps = 0, []
    for start, end in sorted((c.start, size if c.end is None else c.end) for c in claims):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    if at < size:
        gaps.append((at, size))
    return at <= size and (not gaps or _are_zero(name, gaps, folder))


def _are_zero(name: str, gaps: Sequence[tuple[int, int]], folder: Path | None) -> bool:
    path = file_of(name, folder)
    if path is None:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return all(_zero(data, start, end) for start, end in gaps)


def _zero(data: mmap.mmap, start: int, end: int) -> bool:
    step = 1 << 20
    return not any(bytes(data[at : min(at + step, end)]).strip(b"\0") for at in range(start, end, step))


def _unknown(item: Skipped, name: str) -> bool:
    return item.what == name and item.reason.endswith(UNKNOWN)


def _lift(outcome: Outcome, name: str) -> None:
    """Take back that it was not examined."""
    outcome.skipped = [item for item in outcome.skipped if not _unknown(item, name)]
    for document in outcome.documents:
        if document["file"] == name:
            document["format"] = "numbers"
