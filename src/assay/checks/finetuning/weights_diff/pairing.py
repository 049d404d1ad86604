"""Which tensors are compared with which, and how."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from assay.core.report import Skipped
from assay.subjects.weights import Tensor, Weights
from assay.subjects.weights.tensor import GATHER_LIMIT


@dataclass(frozen=True, slots=True)
class Pair:
    """A tensor of the candidate, and what it is compared with.

    Attributes:
        candidate: the tensor.
        baseline: the one of that name in the baseline, if its values can be compared.
        compared: leading elements that are compared; the rest is examined alone.
        gathered: whether both are read through their strides, because their layouts differ.
    """

    candidate: Tensor
    baseline: Tensor | None = None
    compared: int = 0
    gathered: bool = False

    @property
    def size(self) -> int:
        """Bytes to read."""
        first = self.compared * self.baseline.itemsize if self.baseline else 0
        return first + self.candidate.numel * self.candidate.itemsize

    @property
    def same_bytes(self) -> bool:
        """Whether both are the same bytes of the same file (hard links, shared caches)."""
        one, other = self.baseline, self.candidate
        return (
            one is not None
            and one.file.identity == other.file.identity
            and (one.offset, one.dtype, one.stride) == (other.offset, other.dtype, other.stride)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read: pairs, names on one side only or of another shape or format, and what is not read."""

    pairs: tuple[Pair, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def plan(candidate: Weights, baseline: Weights | None) -> Plan:
    """Lay the tensors of `candidate` beside those of `baseline`; None examines the candidate alone."""
    skipped = [Skipped(u.name, u.reason, u.remedy) for u in candidate.unreadable]
    before = dict(baseline.tensors) if baseline else {}
    if baseline:
        skipped += [Skipped(f"baseline: {u.name}", u.reason, u.remedy) for u in baseline.unreadable]
    pairs: list[Pair] = []
    for tensor in candidate.tensors.values():
        pair = _pair(tensor, before.get(tensor.name))
        if isinstance(pair, Skipped):
            skipped.append(pair)
        else:
            pairs.append(pair)
    both = [(t, before[t.name]) for t in candidate.tensors.values() if t.name in before]
    return Plan(
        tuple(pairs),
        added=tuple(name for name in candidate.tensors if name not in before) if baseline else (),
        removed=tuple(name for name in before if name not in candidate.tensors),
        reshaped=tuple(new.name for new, old in both if new.shape != old.shape),
        retyped=tuple(new.name for new, old in both if new.dtype != old.dtype),
        skipped=tuple(skipped),
    )


def _pair(new: Tensor, old: Tensor | None) -> Pair | Skipped:
    for tensor in (new, old):
        if tensor is not None and not tensor.known:
            return Skipped(
                new.name[:200],
                f"the number format {tensor.dtype[:40]} cannot be decoded",
                "Save the tensor in a format listed in docs/checks/model.weights-diff.md.",
            )
    compared = 0 if old is None else _comparable(new, old)
    kept = old if compared or (old is not None and old.shape == new.shape) else None
    plain = new.layout and (kept is None or (new.shape == kept.shape and new.layout == kept.layout))
    plain = plain or (new.contiguous and (kept is None or kept.contiguous))
    if plain:
        return Pair(new, kept, compared)
    if max(t.numel * t.itemsize for t in (new, kept) if t is not None) > GATHER_LIMIT:
        return Skipped(
            new.name[:200],
            "its strides differ from the baseline's, and it is too large to be copied in memory",
            "Save the checkpoint with contiguous tensors, best as safetensors.",
        )
    return Pair(new, kept, compared, gathered=True)


def _comparable(new: Tensor, old: Tensor) -> int:
    """Leading elements that mean the same in both: all, or the rows that both have."""
    if new.shape == old.shape:
        return new.numel
    if not new.shape or not old.shape or new.shape[1:] != old.shape[1:]:
        return 0
    return min(new.shape[0], old.shape[0]) * prod(new.shape[1:])
