"""Lambda layers, and marshalled code wherever Keras would unmarshal it.

Source: keras/src/layers/core/lambda_layer.py, keras/src/utils/python_utils.py `func_load`; Keras 2's
keras/layers/core/lambda_layer.py `_parse_function_from_config`. The code is decoded from base64 to tell its
size and the names in it; it is never unmarshalled.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from assay.checks.packaging.artifact_scan import policy, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.keras.objects import Node
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.canonical import JSON
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity

MAX_CODE = 4 << 20  # characters of base64 that are decoded
MAX_NAMES = 8
MAX_STEPS = 20
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{2,40}")
# A short ASCII string as marshal writes it (CPython Python/marshal.c, version 4): type, length, characters.
_SHORT = re.compile(rb"[zZ\xda\xfa]([\x02-\x28])(?=([A-Za-z_][A-Za-z0-9_.]{1,39}))")
# A code object of CPython 3.4 to 3.14 in base64: its type, then a count of arguments below 256.
_MARSHALLED = re.compile(r"(?:4w|Yw)[A-Za-z0-9+/]{2}AAA[A-Za-z0-9+/\s]{60,}")
# A longer one: what is said in it is shown where it reads like a command, a path or an address.
_TEXT = re.compile(rb"[zZ\xda\xfa]([\x04-\xff])(?=([\x20-\x7e]{4,255}))")
_SPEAKS = re.compile(r"[ /:\\]|\.\w")
MIN_TEXT, MAX_TEXTS = 4, 6
_NOISE = frozenset({"lambda", "code", "module", "__main__"})
_PARTS = ("function", "output_shape", "mask")


def look(node: Node, blob: Blob, inspection: Inspection) -> Iterator[Finding]:  # noqa: ARG001  the seam's shape
    """Find marshalled code in a `__lambda__` value, or in any dictionary that says it holds some."""
    if node.class_name == "__lambda__" or node.values.get("class_name") == "__lambda__":
        yield _code(node, node.values.get("config", node.values), "a lambda", blob)
    marked = [part for part in _PARTS if node.values.get(f"{part}_type") == "lambda"]
    for part in marked:
        yield _code(node, node.values.get(part), f"the `{part}` of a Lambda layer", blob)
    if node.bare_class == "Lambda":
        yield from _layer(node, blob)
    if not (_is_told(node.values) or _is_told(node.above)):
        yield from _stray(node, blob)


def _is_told(values: dict[str, Any]) -> bool:
    """Whether code in this dictionary, or right below it, is reported for what the dictionary is."""
    name = values.get("class_name")
    return (
        name == "__lambda__"
        or (isinstance(name, str) and name.endswith("Lambda"))
        or any(values.get(f"{part}_type") == "lambda" for part in _PARTS)
    )


def _stray(node: Node, blob: Blob) -> Iterator[Finding]:
    """Marshalled code in a place where this version knows no Keras that unmarshals it."""
    for key, value in node.values.items():
        text = value[0] if isinstance(value, list) and value else value
        if isinstance(text, str) and _MARSHALLED.match(text):
            code = _decoded(text)
            shown = (
                f"Whoever unmarshals `{str(key)[:60]}` and calls it would run {len(code):,} bytes of Python "
                f"code{_that_name(code)}."
            )
            yield rules.keras.LAMBDA.finding(shown, blob.place(), severity=Severity.HIGH)


def _layer(node: Node, blob: Blob) -> Iterator[Finding]:
    config = node.config
    function = config.get("function")
    if config.get("function_type") == "lambda" or _is(function, "__lambda__"):
        return  # told where the code stands
    if _is(function, "function") or (isinstance(function, str) and config.get("function_type") == "function"):
        name = function.get("config") if isinstance(function, dict) else function
        message = (
            f"Calling the model would run the function {str(name)[:80]!r} of the Lambda layer {node.title}, "
            "found by its name."
        )
        yield rules.keras.NAMED.finding(message, blob.place())
    elif isinstance(function, str | list) or _is(function, "__tuple__"):
        yield _code(node, function, "the `function` of a Lambda layer", blob)
    else:
        message = (
            f"Calling the model would run a function of the Lambda layer {node.title} that its configuration "
            "does not show."
        )
        yield rules.keras.LAMBDA.finding(message, blob.place(), severity=Severity.MEDIUM)


def _is(value: Any, class_name: str) -> bool:
    return isinstance(value, dict) and value.get("class_name") == class_name


def _code(node: Node, value: Any, what: str, blob: Blob) -> Finding:
    code = _decoded(_first_text(value))
    layer = "" if node.class_name == "__lambda__" else f" {node.title}" if node.class_name else ""
    shown = (
        f"Loading it would unmarshal and call {what}{layer}: {len(code):,} bytes of Python code"
        f"{_that_name(code)}."
    )
    data: dict[str, JSON] = {"bytes": len(code), "names": list(_names(code))}
    return rules.keras.LAMBDA.finding(shown, blob.place(), data=data, explanation=_explained(node, code))


def _explained(node: Node, code: bytes) -> Explanation:
    steps = [Step(f"{node.path or 'the document'} holds the code, in base64")]
    steps += [Step(f"names in it: {', '.join(names)}")] if (names := _names(code)) else []
    steps += [Step(f"texts in it: {', '.join(texts)}")] if (texts := _quotes(code)) else []
    effect = (
        "The bytes become a Python function, which Keras calls while the model is loaded. It can do all that "
        "whoever loads the model can do."
    )
    source = f"types.FunctionType(marshal.loads(<{len(code):,} bytes>), globals())(inputs)"
    return Explanation(source, tuple(steps), effect=effect)


def _quotes(code: bytes) -> list[str]:
    """Some of the texts in the code, such as commands and addresses."""
    found = {text[: size[0]].decode() for size, text in _TEXT.findall(code) if len(text) >= size[0]}
    spoken = [text for text in found if _SPEAKS.search(text) and len(text) >= MIN_TEXT]
    return sorted(map(ascii, spoken))[:MAX_TEXTS]


def _that_name(code: bytes) -> str:
    names = _names(code)
    return f" that name {', '.join(names)}" if names else ""


def _first_text(value: Any) -> str:
    """The code among code, defaults and closure, in any of the forms that they were written in."""
    for _ in range(MAX_STEPS):
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            value = next((value[key] for key in ("value", "code", "items", "config") if key in value), None)
        elif isinstance(value, list) and value:
            value = value[0]
        else:
            break
    return ""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text[:MAX_CODE].encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return text[:MAX_CODE].encode("utf-8", "replace")


def _names(code: bytes) -> list[str]:
    """Some names in the code, those that can do harm first."""
    short = [text[: size[0]] for size, text in _SHORT.findall(code) if len(text) >= size[0]]
    found = dict.fromkeys(match.decode() for match in short or _NAME.findall(code))
    names = [name for name in found if name not in _NOISE]
    return sorted(names, key=lambda name: not policy.is_denied(name, ""))[:MAX_NAMES]
