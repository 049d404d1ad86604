"""SentencePiece models (`tokenizer.model`, `spiece.model`): a vocabulary and how it was made.

Source: src/sentencepiece_model.proto of google/sentencepiece.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.subjects.graphs.protobuf import Data, Reader, Span
from assay.subjects.graphs.schemas import schema

SENTENCE = 100  # bytes: a piece that is shorter is no sentence


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """What a judge needs of a model.

    Attributes:
        pieces: how many there are.
        texts: settings, symbols, rules and tests, and pieces as long as a sentence.
        tables: compiled rules.
        unknown: fields that this version does not know.
    """

    pieces: int
    texts: tuple[str, ...]
    tables: tuple[Span, ...]
    unknown: tuple[str, ...]


def read_sentencepiece(data: Data, start: int, end: int) -> SentencePieceModel:
    """Read the model in `data[start:end]` to its last byte.

    Raises:
        SubjectError: it is no valid model.
        LimitError: it holds more than we are willing to follow.
    """
    reader = Reader(data, schema("sentencepiece"))
    pieces, texts, tables = 0, list[str](), list[Span]()
    for message in reader.walk("ModelProto", start, end):
        if message.kind == "ModelProto_SentencePiece":
            pieces += 1
            texts += [text for text in message.texts(1) if len(text) >= SENTENCE]
        elif message.kind == "NormalizerSpec":
            tables += message.spans.get(2, [])
            texts += [message.text(1), message.text(6)]
        elif message.kind != "ModelProto":
            texts += [text for number in message.spans for text in message.texts(number)]
    return SentencePieceModel(
        pieces, tuple(text for text in texts if text), tuple(tables), tuple(reader.unknown)
    )
