"""Values of others as the document carries them: bounded, and unable to leave their string.

See the head of document.py for why. What is cut keeps a digest of the whole, because a reason that quotes
it is what an approval is bound to: two values must not look alike to the people who approve one of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from assay.core.canonical import JSON, canonical_digest, carriable
from assay.core.errors import GateError
from assay.gate.document import MetricValue

TEXT_CAP = 500
OPTIONS_CAP = 100
ENTRIES_CAP = 50
_EXACT = 2**53
_SHOWN = 16
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")  # controls, lone surrogates


def short(text: str) -> str:
    """`text`, cut after 500 characters, with lone surrogates spelt out."""
    text = _spelt(text)
    return text if len(text) <= TEXT_CAP else text[: TEXT_CAP - 1] + "…"


def scalar(value: MetricValue) -> MetricValue:
    """`value` as JSON can carry it exactly."""
    if isinstance(value, str):
        return short(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    return value if math.isfinite(value) else str(value)


def cleaned(value: Any) -> Any:
    """`value` with text as the document carries it; see the head of document.py."""
    if isinstance(value, str):
        return _UNSAFE.sub(" ", value.replace('"', "'").replace("\\", "/"))
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def option_values(check: str, options: Mapping[str, JSON]) -> dict[str, Any]:
    """The options a check ran with, bounded: every name, of a list or mapping 50 flat entries.

    Raises:
        GateError: there are more than 100. A policy asks for names, so none may be cut.
    """
    if len(options) > OPTIONS_CAP:
        raise GateError(
            f"ran with {len(options):,} options; the gate takes {OPTIONS_CAP}",
            subject=check,
            remedy="Remove from assay.yaml what the check does not know.",
        )
    return {_marked(str(name)): _bounded(value) for name, value in options.items()}


def _bounded(value: JSON) -> Any:
    if isinstance(value, Mapping):
        names = sorted(value, key=str)[:ENTRIES_CAP]
        kept = {_marked(str(name)): _flat(value[name]) for name in names}
        return kept if len(value) <= ENTRIES_CAP else {**kept, "…": _rest(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        listed = [_flat(item) for item in value[:ENTRIES_CAP]]
        return listed if len(value) <= ENTRIES_CAP else [*listed, _rest(value)]
    return _flat(value)


def _flat(value: JSON) -> Any:
    if isinstance(value, str):
        return _marked(value)
    if value is None or isinstance(value, bool | int | float):
        return value if value is None else scalar(value)
    return f"… {_mark(value)}"


def _rest(value: Sequence[JSON] | Mapping[str, JSON]) -> str:
    return f"{len(value) - ENTRIES_CAP:,} more {_mark(value)}"


def _spelt(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _marked(text: str) -> str:
    text = _spelt(text)
    return text if len(text) <= TEXT_CAP else f"{text[: TEXT_CAP - 50]}… {_mark(text)}"


def _mark(value: JSON) -> str:
    return f"(sha256 {canonical_digest(carriable(value))[:_SHOWN]})"
