"""What a confined child says, taken apart as if whoever wrote the file had taken the child over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from assay.subjects.child_process import ChildDiedError, ChildProcess

LAST = "done"
FARTHEST = 1 << 63  # no byte of a file lies beyond


class WrongAnswerError(ChildDiedError):
    """The child said what it never says: it is not to be believed, nor asked again."""

    def __init__(self) -> None:
        super().__init__("the reading process answered what it should not")


@dataclass(slots=True)
class Answer:
    """One line of an answer: its kind, a byte of the file or None, and fields, which are taken in order."""

    kind: str
    place: int | None
    fields: list[object]

    def text(self, most: int) -> str:
        """The next field, which must be a text of at most `most` characters.

        Raises:
            WrongAnswerError: it is not, as in the methods below.
        """
        value = self._next()
        if type(value) is not str or len(value) > most:
            raise WrongAnswerError
        return value

    def number(self, below: int) -> int:
        """The next field, which must be an integer from 0 to `below`, without that."""
        return _number(self._next(), below)

    def numbers(self, below: int, most: int) -> tuple[int, ...]:
        """The next field, which must be a list of at most `most` such integers."""
        value = self._next()
        if type(value) is not list or len(value) > most:
            raise WrongAnswerError
        return tuple(_number(item, below) for item in value)

    def texts(self) -> tuple[str, ...]:
        """All fields that are left, texts or integers, as texts."""
        parts, self.fields = self.fields, []
        if not all(type(part) in {str, int} for part in parts):
            raise WrongAnswerError
        return tuple(str(part) for part in parts)

    def finish(self) -> None:
        """No field may be left."""
        if self.fields:
            raise WrongAnswerError

    def _next(self) -> object:
        if not self.fields:
            raise WrongAnswerError
        return self.fields.pop(0)


def _number(value: object, below: int) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise WrongAnswerError
    return value


def answers(child: ChildProcess) -> Iterator[Answer]:
    """The lines of a child's answer, without the last, which only says that it is the last.

    Raises:
        WrongAnswerError: a line is no JSON array that begins with a kind and a place.
        ChildDiedError: the child died, or said too much, or took too long.
    """
    for line in child.lines():
        answer = _parsed(line)
        if answer.kind == LAST:
            return
        yield answer


def _parsed(line: bytes) -> Answer:
    try:
        kind, place, *fields = json.loads(line)
    except (ValueError, TypeError, RecursionError) as error:
        raise WrongAnswerError from error
    if type(kind) is not str:
        raise WrongAnswerError
    if place is not None:
        _number(place, FARTHEST)
    return Answer(kind, place, fields)
