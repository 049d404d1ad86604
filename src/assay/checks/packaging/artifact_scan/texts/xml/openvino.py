"""OpenVINO IR: a graph of layers in XML, whose weights lie in a `.bin` beside it.

Source: https://docs.openvino.ai, "Operation sets" and "IR format"; layers of version 10 and later name the
operation set that defines them.
"""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Claim
from assay.checks.packaging.artifact_scan.next_steps import SMALLER
from assay.checks.packaging.artifact_scan.texts.xml.collector import Collector
from assay.core.finding import Location, Severity
from assay.subjects.markup import Element

_OPSET = re.compile(
    r"opset\d{1,3}$|experimental$|util$|ov_internal$|ie_internal_opset$|(?:cpu|gpu|npu)_\w*opset$"
)
# Operations of openvino-tokenizers, which tokenizers converted by Intel's own tool are made of.
_TOKENIZER = frozenset({
    "StringTensorPack", "StringTensorUnpack", "RaggedTensorPack", "SpecialTokensSplit", "RegexNormalization",
    "RegexSplit", "BPETokenizer", "WordpieceTokenizer", "UnigramTokenizer", "TrieTokenizer", "BytesToChars",
    "CharsToBytes", "CombineSegments", "RaggedToDense", "RaggedToRagged", "RaggedToSparse",
    "StringToHashBucket", "VocabDecoder", "VocabEncoder", "FuzeRagged", "ByteFallback",
    "UTF8Validate", "CaseFold", "CaseFoldUTF8",
    "NormalizeUnicode", "CharsMapNormalization", "SentencepieceTokenizer", "SentencepieceDetokenizer",
    "SentencepieceStreamDetokenizer", "EqualStr", "LookupTable", "Truncate", "StringSplit",
})  # fmt: skip
_FOREIGN = frozenset({"Python", "PythonOp", "PyOp", "Custom", "CustomLayer", "FakeCustom"})
# Bits an element takes; `string` and what is not here are not measured.
_BITS = {
    "f64": 64, "f32": 32, "f16": 16, "bf16": 16, "f8e4m3": 8, "f8e5m2": 8, "f8e8m0": 8, "f4e2m1": 4, "nf4": 4,
    "i64": 64, "i32": 32, "i16": 16, "i8": 8, "i4": 4, "u64": 64, "u32": 32, "u16": 16, "u8": 8, "u4": 4,
    "u3": 3, "u2": 2, "u1": 1, "boolean": 8,
}  # fmt: skip
MAX_BYTES = (1 << 63) - 1
MAX_CLAIMS = 200_000  # constants; a model of a hundred layers has some thousands


class OpenVino:
    """Looks at the layers of a graph, if the document is one."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._data: dict[str, str] | None = None
        self._layers: list[tuple[str, str, str]] = []
        self._constants: list[tuple[str, int, int]] = []
        self._is_graph = False

    def see(self, element: Element) -> None:
        """Take in an element, as it ends: the data of a layer come before the layer."""
        if element.name == "data":
            self._data = dict(element.attributes)
        elif element.name == "layer" and element.parents[-1:] == ("layers",):
            self._layer(element)
            self._data = None
        elif element.name == "net" and not element.parents:
            self._is_graph = True

    def conclude(self) -> None:
        """Report the layers, now that it is known what they belong to."""
        if not self._is_graph:
            return
        self._claim()
        for name, kind, opset in self._layers:
            what = f"{kind!r} of {opset!r}, which OpenVINO does not define"
            message = f"Layer {name!r} would need a native library for {what}"
            self._collector.add(rules.markup.CUSTOM_LAYER, message)

    def _claim(self) -> None:
        """Say which bytes of the weights are constants; OpenVINO looks for them under the graph's name."""
        blob = self._collector.blob
        weights = blob.beside(PurePosixPath(blob.name).with_suffix(".bin").name)
        for name, offset, size in self._constants:
            place = Location(blob.path, blob.member, name=name)
            self._collector.claim(Claim(weights, offset, offset + size, place))
        if len(self._constants) >= MAX_CLAIMS:
            self._collector.skip(f"it has more than {MAX_CLAIMS:,} constants", SMALLER)

    def _layer(self, element: Element) -> None:
        kind, opset = element.attributes.get("type", ""), element.attributes.get("version", "")
        name = element.attributes.get("name", "")[:60]
        known = not opset or bool(_OPSET.match(opset)) or (opset == "extension" and kind in _TOKENIZER)
        if (not known or kind in _FOREIGN) and len(self._layers) < 20:  # noqa: PLR2004  the rest says the same
            self._layers.append((name, kind[:60], opset[:60]))
        if self._data is not None and kind == "Const":
            self._const(name, self._data)

    def _const(self, name: str, data: dict[str, str]) -> None:
        offset, size = _natural(data.get("offset", "")), _natural(data.get("size", ""))
        shape = [_natural(one.strip()) for one in data.get("shape", "").split(",") if one.strip()]
        if offset is None or size is None or None in shape or offset + size > MAX_BYTES:
            reason = "its offset, size or shape is no number of bytes"
            message = f"Reading layer {name!r} could reach past the weights: {reason}"
            self._collector.add(rules.markup.OPENVINO, message)
            return
        if len(self._constants) < MAX_CLAIMS:
            self._constants.append((name, offset, size))
        bits = _BITS.get(data.get("element_type", "").lower())
        if bits is not None:
            needed = -(-math.prod(one for one in shape if one is not None) * bits // 8)
            if needed > size:
                message = (
                    f"Reading layer {name!r} would reach past its {size:,} bytes: its shape takes {needed:,}"
                )
                self._collector.add(rules.markup.OPENVINO, message)
            elif needed != size and needed:  # an empty constant is written as one byte
                message = f"Reading layer {name!r} would take {needed:,} of its {size:,} bytes, by its shape"
                self._collector.add(rules.markup.OPENVINO, message, Severity.LOW)


def _natural(text: str) -> int | None:
    """The number a text states; None where it is none that eight bytes hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004  2^63
