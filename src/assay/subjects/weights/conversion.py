"""Turns the weights of a model into one safetensors file, and says what of them is not in it.

Tensors that share their numbers are written once for each name, as `safetensors.torch.load_file` then gives
what `torch.load` gave; or once in all, with the other names in the metadata, as
`safetensors.torch.save_model` does. Since a small file may name the same numbers any number of times, what
is written is bounded by what was read.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from assay.core.errors import LimitError, SubjectError
from assay.subjects.weights.opening import Weights
from assay.subjects.weights.tensor import Tensor
from assay.subjects.weights.writing import Progress, write_safetensors

MOST_TIMES = 4  # as many times the bytes of the files that were read may be written …
ALLOWANCE = 64 << 20  # … and so many bytes besides
_ONE = "Name the one file to convert, or the `.index.json` of its shards."
VALUES = "assay.values"
Place: TypeAlias = "tuple[str, tuple[int, ...], tuple[int, ...], int, tuple[int, int]]"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was written, and what was not.

    Attributes:
        tensors: how many were written.
        size: bytes of the file.
        aliases: names that share the numbers of another, which alone was written.
        values: names of plain values that are in the metadata.
        left_out: what is in the checkpoint and not in the file: name, and what it is.
        unnamed: how much more of that there is.
        foreign: full names of what the checkpoint's pickle imports; none was imported.
    """

    tensors: int
    size: int
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    unnamed: int
    foreign: tuple[str, ...]


def convert(
    weights: Weights,
    target: Path,
    *,
    shared_once: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Conversion:
    """Write the tensors of `weights` to `target`, whole or not at all.

    Plain values go into the metadata, unless the weights were opened for their tensors only.

    Args:
        weights: opened.
        target: the file; it is replaced where it exists.
        shared_once: write tensors that share their numbers once.
        progress: told bytes done and bytes in all.

    Raises:
        SubjectError: not all of the tensors can be written.
        LimitError: more would be written than the files read give reason for.
        OSError: the file cannot be written.
    """
    _require_whole(weights)
    keeps_values = bool(weights.values) and not weights.tensors_only
    metadata = {"format": "pt"}
    if keeps_values:
        metadata[VALUES] = json.dumps(weights.values)
    shared = _shared(weights, metadata)
    aliases = shared if shared_once else {}
    _require_bounded(weights, aliases, shared)
    tensors = _without(weights, aliases)
    size = write_safetensors(target, tensors, metadata=metadata | aliases, progress=progress)
    dropped = [] if keeps_values else [(name, "a plain value") for name in weights.values]
    return Conversion(
        tensors=len(tensors),
        size=size,
        aliases=tuple(aliases),
        values=tuple(weights.values) if keeps_values else (),
        left_out=(*dropped, *weights.others),
        unnamed=weights.unnamed,
        foreign=tuple(dict.fromkeys(weights.foreign)),
    )


def _require_whole(weights: Weights) -> None:
    """Refuse what would leave a tensor out, or write one twice under one name."""
    if not weights.tensors and not weights.unreadable:
        raise SubjectError(
            "holds no tensors",
            subject=str(weights.path),
            remedy="Estimators of scikit-learn are no tensors: ask for skops or ONNX instead.",
        )
    for unreadable in weights.unreadable:
        remedy = f"{unreadable.remedy} {_ONE}" if weights.path.is_dir() else unreadable.remedy
        raise SubjectError(unreadable.reason, subject=unreadable.name, remedy=remedy.strip())
    for problem in weights.problems:
        raise SubjectError(problem, subject=str(weights.path), remedy=_ONE)
    for name in weights.doubled:
        raise SubjectError(
            f"holds a tensor twice: {name[:200]}",
            subject=str(weights.path),
            remedy=_ONE,
        )


def _without(weights: Weights, aliases: Collection[str]) -> list[Tensor]:
    return [tensor for tensor in weights.tensors.values() if tensor.name not in aliases]


def _shared(weights: Weights, metadata: Collection[str]) -> dict[str, str]:
    """Name to the first name of the very same numbers in the very same shape."""
    first: dict[Place, str] = {}
    aliases: dict[str, str] = {}
    for tensor in weights.tensors.values():
        place = tensor.dtype, tensor.shape, tensor.stride, tensor.offset, tensor.file.identity
        kept = first.setdefault(place, tensor.name)
        if kept != tensor.name and tensor.size and tensor.name not in metadata:
            aliases[tensor.name] = kept
    return aliases


def _require_bounded(weights: Weights, aliases: Collection[str], shared: Collection[str]) -> None:
    read = sum(file.size for file in {tensor.file for tensor in weights.tensors.values()})
    most = MOST_TIMES * read + ALLOWANCE
    wanted = sum(tensor.size for tensor in _without(weights, aliases))
    if wanted <= most:
        return
    remedy = "Save the tensors before they were expanded: that repeats their numbers."
    if sum(tensor.size for tensor in _without(weights, shared)) <= most:
        remedy = "With --shared-once, tensors that share all of their numbers are written once."
    raise LimitError(
        f"its tensors repeat the same numbers: {read:,} bytes would become {wanted:,}",
        subject=str(weights.path),
        remedy=remedy,
    )
