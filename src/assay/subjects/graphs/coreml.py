"""Core ML models: layers and models that are code of the application, files beside the model, and texts.

Source: mlmodel/format of apple/coremltools.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.core.errors import LimitError
from assay.subjects.graphs.protobuf import Data, Message, Reader, Span
from assay.subjects.graphs.schemas import schema

MAX_ITEMS = 200_000
# By message, the field with the name of a class of the application.
_CLASSES = {"CustomModel": 10, "CustomLayerParams": 10}


@dataclass(slots=True)
class CoreMLModel:
    """What a judge needs of a model.

    Attributes:
        classes: class of the application, and the byte where it is named.
        linked: files and search paths of linked models, with their byte.
        blobs: files that values of ML programs lie in, with their byte.
        operators: types of the operations of ML programs.
        texts: descriptions and metadata.
        serialized: models inside the model in a format of their own.
        unknown: fields that this version does not know.
    """

    classes: list[tuple[str, int]] = field(default_factory=list)
    linked: list[tuple[str, int]] = field(default_factory=list)
    blobs: dict[str, int] = field(default_factory=dict)
    operators: dict[str, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    serialized: list[Span] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


def read_coreml(data: Data, start: int, end: int) -> CoreMLModel:
    """Read the model in `data[start:end]` to its last byte.

    Raises:
        SubjectError: it is no valid model.
        LimitError: it holds more than we are willing to follow.
    """
    reader, model = Reader(data, schema("coreml")), CoreMLModel()
    for message in reader.walk("Model", start, end):
        _take(model, reader, message)
        if len(model.classes) + len(model.linked) + len(model.blobs) + len(model.texts) > MAX_ITEMS:
            raise LimitError(f"more than {MAX_ITEMS:,} names and texts")
    model.unknown = tuple(reader.unknown)
    return model


def _take(model: CoreMLModel, reader: Reader, message: Message) -> None:
    if message.kind in _CLASSES:
        model.classes.append((message.text(_CLASSES[message.kind], 1000), message.start))
    match message.kind:
        case "LinkedModelFile":
            for part in (*reader.children(message, 1), *reader.children(message, 2)):
                model.linked.append((part.text(1, 4096), message.start))
        case "MILSpec_Value_BlobFileValue":
            model.blobs.setdefault(message.text(1, 4096), message.start)
        case "MILSpec_Operation":
            model.operators.setdefault(message.text(1, 300), message.start)
        case "SerializedModel":
            model.serialized += message.spans.get(2, [])
        case "Metadata":
            model.texts += [text for number in (1, 2, 3, 4) if (text := message.text(number))]
        case "Metadata_UserDefinedEntry":
            model.texts.append(message.text(2))
        case "FeatureDescription":
            model.texts += message.texts(2)
