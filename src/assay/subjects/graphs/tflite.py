"""TFLite models: custom operators, buffers beside the model, metadata.

Source: tensorflow/lite/schema/schema.fbs. Buffers of models over 2 GB lie behind the FlatBuffer, by offsets
from the start of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import LimitError
from assay.subjects.graphs.flatbuffers import Buffer, Table
from assay.subjects.graphs.protobuf import Data, Span

CUSTOM = 32  # BuiltinOperator
MAX_OPERATORS = 1_000_000


@dataclass(frozen=True, slots=True)
class TfLiteModel:
    """What a judge needs of a model.

    Attributes:
        version: of the schema.
        custom: names of custom operators, in order.
        used: which of them some node uses.
        texts: description, names of metadata and of graphs.
        buffers: where the contents of tensors and metadata lie.
        options: where the options of custom operators lie.
        problems: what does not fit together, a sentence each.
    """

    version: int
    custom: tuple[str, ...]
    used: frozenset[str]
    texts: tuple[str, ...]
    buffers: tuple[Span, ...]
    options: tuple[Span, ...]
    problems: tuple[str, ...]


def read_tflite(data: Data, start: int, end: int) -> TfLiteModel:
    """Read the model in `data[start:end]`.

    Raises:
        OutsideError: an offset leads out of the file.
        LimitError: it holds more than we are willing to follow.
    """
    model = Buffer(data, start, end).root()
    codes = [_code(table) for table in model.tables(1)]
    problems: list[str] = []
    buffers = [span for table in model.tables(4) if (span := _buffer(table, start, end, problems))]
    used: set[int] = set()
    options: list[Span] = []
    texts = [model.text(3), *(table.text(0) for table in model.tables(6))]
    count = 0
    for graph in model.tables(2):
        texts.append(graph.text(4))
        for node in graph.tables(3):
            count += 1
            if count > MAX_OPERATORS:
                raise LimitError(f"more than {MAX_OPERATORS:,} operators")
            used.add(node.number(0, "I"))
            options += _options(node, start, end, problems)
    if any(index >= len(codes) for index in used):
        problems.append("a node names an operator that is not in the list of operators")
    named = {codes[index] for index in used if index < len(codes)}
    custom = tuple(dict.fromkeys(name for name in codes if name is not None))
    return TfLiteModel(
        model.number(0, "I"),
        custom,
        frozenset(name for name in named if name is not None),
        tuple(text for text in texts if text),
        tuple(buffers),
        tuple(options),
        tuple(problems[:20]),
    )


def _code(table: Table) -> str | None:
    """The name of a custom operator; None for a built-in one."""
    # The old field has one byte; the larger of the two counts, as in TFLite's GetBuiltinCode.
    return table.text(1) if max(table.number(0, "b"), table.number(3, "i")) == CUSTOM else None


def _buffer(table: Table, start: int, end: int, problems: list[str]) -> Span | None:
    offset, size = table.number(1, "Q"), table.number(2, "Q")
    if offset > 1:  # 0 and 1 stand for "inside"
        return _outside((start + offset, start + offset + size), end, problems)
    return table.vector(0, 1)


def _options(node: Table, start: int, end: int, problems: list[str]) -> list[Span]:
    offset, size = node.number(9, "Q"), node.number(10, "Q")
    spans = [node.vector(5, 1)]
    if offset > 1:
        spans.append(_outside((start + offset, start + offset + size), end, problems))
    return [span for span in spans if span is not None]


def _outside(span: Span, end: int, problems: list[str]) -> Span | None:
    if span[1] <= end:
        return span
    problems.append(f"a buffer of {span[1] - span[0]:,} bytes reaches past the end of the file")
    return None
