"""The plan of a checkpoint, made by a confined child that walks its pickle, and taken as hostile input here.

Nothing pickled comes back and nothing that was in the file is called: a plan is names, sizes and places, each
of which is checked against its form here and against the file by whoever uses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.core.errors import LimitError, SubjectError
from assay.subjects.child_answers import Answer, WrongAnswerError, answers
from assay.subjects.child_process import ChildDiedError
from assay.subjects.pickles.asking import reading_process
from assay.subjects.pickles.limits import Limits
from assay.subjects.pickles.refusals import refusal_of

Scalar: TypeAlias = "str | int | float | bool | None"
Value: TypeAlias = "Scalar | list[Scalar] | dict[str, Scalar]"
MAX_TENSORS = 200_000
MAX_STORAGES = 200_000
MAX_VALUES = 10_000
MAX_NAMED = 1_000
MAX_NAME = 1_100  # characters: a name of 1,000 and a last key that made it too long
MAX_KEY = 1_000
MAX_RANK = 64
MAX_TEXT = 1 << 20
BEYOND = 1 << 63


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """A tensor as the child tells of it.

    Attributes:
        name: path in the nested state dict, joined by dots.
        dtype: as safetensors names it.
        key: of its storage.
        size: bytes of its storage.
        offset, shape, stride: in elements.
    """

    name: str
    dtype: str
    key: str
    size: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(slots=True)
class TensorPlan:
    """What a checkpoint holds, and in a legacy file its storages in order: key, class and count of elements.

    Attributes:
        values: plain values by name; `doubled` is a name that two of them have.
        others: names of what is neither tensor nor plain value, and what it is.
        unnamed: how many more of these there are.
        foreign: full names of what the pickle imports that no tensor is made of.
        end: the byte after its pickles.
    """

    tensors: dict[str, PlannedTensor] = field(default_factory=dict)
    storages: dict[str, tuple[str, int]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    doubled: str = ""
    others: list[tuple[str, str]] = field(default_factory=list)
    unnamed: int = 0
    foreign: list[str] = field(default_factory=list)
    end: int = -1


def read_plan(
    fd: int, start: int, length: int, *, legacy: bool, tensors_only: bool, limits: Limits | None = None
) -> TensorPlan:
    """Let a child of its own walk the pickle in `length` bytes from `start` of an open file.

    Args:
        fd: the open file; it is mapped, never copied.
        start: first byte.
        length: how many bytes; what follows the pickles counts as theirs only in a legacy file.
        legacy: whether it is the five pickles of a legacy file.
        tensors_only: whether to go on where it imports more than tensors are made of.
        limits: bounds on the child.

    Raises:
        SubjectError: it is damaged, holds what cannot be written, or no child can be started.
        LimitError: it is larger or deeper than is followed.
    """
    bounds = limits or Limits()
    child = reading_process(bounds)
    try:
        child.start()
        mode = "l" if legacy else "t"
        child.send(
            f"{mode} {start} {length} {bounds.memory} {bounds.seconds} {bounds.events}",
            fd,
        )
        return take_plan(answers(child), tensors_only=tensors_only)
    except ChildDiedError as death:
        raise SubjectError(
            f"its pickle was not read to its end: {death}",
            remedy="Do not load it. Run `assay scan` on it, or get it again from its source.",
        ) from death
    finally:
        child.close()


def take_plan(lines: Iterable[Answer], *, tensors_only: bool) -> TensorPlan:
    """The plan in a child's answer.

    Raises:
        WrongAnswerError: it is not of the form that the child gives it.
        SubjectError: as `read_plan` does.
    """
    plan = TensorPlan()
    for answer in lines:
        if plan.end >= 0:
            raise WrongAnswerError
        if answer.kind != "foreign" and plan.foreign and not tensors_only:
            raise not_plain(plan.foreign[0])
        take = _TAKEN.get(answer.kind)
        if take is None:
            raise WrongAnswerError
        take(plan, answer)
        answer.finish()
    if plan.end < 0:
        raise WrongAnswerError
    if plan.doubled and not tensors_only:
        raise _doubled("values", plan.doubled)
    return plan


def not_plain(what: str) -> SubjectError:
    """The error for a pickle that holds more than tensors and plain values."""
    return SubjectError(
        f"its pickle holds {what[:200]}, which is not a plain tensor",
        remedy="Run `assay scan` on it; `assay convert --tensors-only` writes its tensors and nothing else.",
    )


def _tensor(plan: TensorPlan, answer: Answer) -> None:
    tensor = PlannedTensor(
        answer.text(MAX_NAME),
        answer.text(20),
        answer.text(MAX_KEY),
        answer.number(BEYOND),
        answer.number(BEYOND),
        answer.numbers(BEYOND, MAX_RANK),
        answer.numbers(BEYOND, MAX_RANK),
    )
    if len(tensor.shape) != len(tensor.stride) or len(plan.tensors) >= MAX_TENSORS:
        raise WrongAnswerError
    if tensor.name in plan.tensors:
        raise _doubled("tensors", tensor.name)
    plan.tensors[tensor.name] = tensor


def _value(plan: TensorPlan, answer: Answer) -> None:
    name, text = answer.text(MAX_NAME), answer.text(MAX_TEXT)
    if len(plan.values) >= MAX_VALUES:
        raise WrongAnswerError
    if name in plan.values:
        plan.doubled = plan.doubled or name
    plan.values[name] = _parsed(text)


def _parsed(text: str) -> Value:
    def refuse(_: str) -> None:
        raise WrongAnswerError

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise WrongAnswerError from error
    items = value if isinstance(value, list) else [value]
    if value != {} and not all(item is None or isinstance(item, str | int | float) for item in items):
        raise WrongAnswerError
    plain: Value = value
    return plain


def _doubled(what: str, name: str) -> SubjectError:
    return SubjectError(
        f"two of its {what} would have the name {name[:200]!r}",
        remedy="Save it again with names that differ once they are joined by dots.",
    )


def _other(plan: TensorPlan, answer: Answer) -> None:
    if len(plan.others) >= MAX_NAMED:
        raise WrongAnswerError
    plan.others.append((answer.text(MAX_NAME), answer.text(200)))


def _more(plan: TensorPlan, answer: Answer) -> None:
    plan.unnamed = answer.number(BEYOND)


def _foreign(plan: TensorPlan, answer: Answer) -> None:
    if len(plan.foreign) >= MAX_NAMED:
        raise WrongAnswerError
    plan.foreign.append(answer.text(400))


def _storage(plan: TensorPlan, answer: Answer) -> None:
    key = answer.text(MAX_KEY)
    if len(plan.storages) >= MAX_STORAGES or key in plan.storages:
        raise WrongAnswerError
    plan.storages[key] = answer.text(200), answer.number(BEYOND)


def _end(plan: TensorPlan, answer: Answer) -> None:
    if answer.place is None:
        raise WrongAnswerError
    plan.end = answer.place


def _refused(plan: TensorPlan, answer: Answer) -> None:
    fields = answer.text(20), answer.text(MAX_NAME), answer.text(300)
    raise refusal_of(*fields, next(iter(plan.foreign), ""))


def _limit(_: TensorPlan, answer: Answer) -> None:
    raise LimitError(
        f"its pickle was not read to its end: {' '.join(answer.texts())[:300]}",
        remedy="Do not load it. Run `assay scan` on it.",
    )


_TAKEN = {
    "tensor": _tensor,
    "value": _value,
    "other": _other,
    "more": _more,
    "foreign": _foreign,
    "storage": _storage,
    "end": _end,
    "refused": _refused,
    "limit": _limit,
}
