"""Paddle programs: the operators of all blocks.

Source: paddle/fluid/framework/framework.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core.errors import LimitError
from assay.subjects.graphs.protobuf import Data, Reader
from assay.subjects.graphs.schemas import schema

MAX_OPERATORS = 1_000_000


@dataclass(frozen=True, slots=True)
class PaddleOperator:
    """One operator: its type, its byte in the file, and its attributes that are texts."""

    name: str
    at: int
    attributes: Mapping[str, str]


@dataclass(slots=True)
class PaddleProgram:
    """What a judge needs of a program: its operators, and fields that this version does not know."""

    operators: list[PaddleOperator] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


def read_program(data: Data, start: int, end: int) -> PaddleProgram:
    """Read the program in `data[start:end]` to its last byte.

    Raises:
        SubjectError: it is no valid program.
        LimitError: it has too many operators.
    """
    reader, program = Reader(data, schema("paddle")), PaddleProgram()
    for message in reader.walk("ProgramDesc", start, end):
        if message.kind != "OpDesc":
            continue
        if len(program.operators) >= MAX_OPERATORS:
            raise LimitError(f"more than {MAX_OPERATORS:,} operators")
        texts = {a.text(1, 100): a.text(5, 4096) for a in reader.children(message, 4) if a.spans.get(5)}
        program.operators.append(PaddleOperator(message.text(3, 300), message.start, texts))
    program.unknown = tuple(reader.unknown)
    return program
