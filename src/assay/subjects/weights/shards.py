"""The index of a sharded model, checked against its shards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import LimitError, SubjectError
from assay.subjects.weights.tensor import Tensor, WeightsFile

MAX_INDEX = 256 << 20
MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Index:
    """`*.index.json`: its path relative to the model, and tensor name to shard, both relative to it."""

    name: str
    shards: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """The folder it lies in, with its slash, or ""."""
        return self.name[: self.name.rfind("/") + 1]


def read_index(folder: Path, name: str) -> Index:
    """Read the index `name` below `folder`.

    Raises:
        SubjectError: it is not JSON with a `weight_map` of texts.
        LimitError: it is larger than 256 MiB.
    """
    path = folder / name
    with WeightsFile(path, name) as file:
        if file.size > MAX_INDEX:
            raise LimitError("is larger than any index of shards", subject=str(path))
        text = bytearray(file.size)
        file.read_into(0, memoryview(text))
    try:
        document = json.loads(text)
        shards = document["weight_map"]
        correct = isinstance(shards, dict) and all(isinstance(shard, str) for shard in shards.values())
    except (ValueError, KeyError, TypeError, RecursionError):
        correct = False
    if not correct:
        raise SubjectError(
            "is not an index of shards: no `weight_map` of names",
            subject=str(path),
            remedy="Fetch it again, or remove it when the weights are one file.",
        )
    return Index(name, shards)


def check_index(index: Index, tensors: Mapping[str, Tensor], files: set[str]) -> list[str]:
    """What the index says and the shards do not, as sentences; at most 100.

    Raises:
        SubjectError: a shard that it names is missing.
    """
    for shard in sorted(set(index.shards.values())):
        if index.prefix + shard not in files:
            raise SubjectError(
                f"names the shard {shard[:200]!r}, which is missing",
                subject=index.name,
                remedy="Fetch the model again, complete.",
            )
    found = list(_disagreements(index, tensors))
    if len(found) > MAX_PROBLEMS:
        more = len(found) - MAX_PROBLEMS
        found[MAX_PROBLEMS:] = [f"{index.name}: {more:,} more disagreements"]
    return found


def _disagreements(index: Index, tensors: Mapping[str, Tensor]) -> Iterator[str]:
    for name, shard in index.shards.items():
        file = index.prefix + shard
        key = index.prefix + name
        tensor = tensors.get(f"{key} @ {file}") or tensors.get(key)
        if tensor is None:
            yield f"{index.name} names the tensor {name[:100]!r}, which no shard holds"
        elif tensor.file.name != file:
            yield f"{index.name} looks for {name[:100]!r} in {shard[:100]}, but {tensor.file.name} holds it"
    named = {index.prefix + shard for shard in index.shards.values()}
    for key, tensor in tensors.items():
        name = key.removeprefix(index.prefix).removesuffix(f" @ {tensor.file.name}")
        if tensor.file.name in named and name not in index.shards:
            yield f"{tensor.file.name} holds {name[:100]!r}, which {index.name} does not name"
