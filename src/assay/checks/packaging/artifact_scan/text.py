"""Text, JSON configurations and chat templates."""

from __future__ import annotations

import json
import re
from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome

_GADGET = re.compile(
    r"__(?:class|globals|subclasses|builtins|import|mro|bases?|init|dict|getattribute|code|self|loader)__"
    r"|\battr\s*\(\s*['\"]\s*_|\b(?:popen|os\.system|subprocess)\b|\\x5f\\x5f|\|\s*attr\s*\(\s*[^)]*(?:~|\+)"
    r"|\b(?:lipsum|cycler|joiner)\s*[.\[|]"
)
_BLOCK = re.compile(r"\{[{%].{0,20000}?[}%]\}", re.DOTALL)
MAX_DEPTH = 200


def judge_text(blob: Blob, text: str, outcome: Outcome) -> None:
    """Look for template gadgets inside `{{ }}` and `{% %}`."""
    for block in _BLOCK.finditer(text):
        gadget = _GADGET.search(block.group())
        if gadget:
            message = f"A template reaches for {gadget.group()[:60]!r}: {block.group()[:100]!r}."
            outcome.findings.append(rules.TEMPLATE.finding(message, blob.place()))
            return


def judge_json(blob: Blob, text: str, outcome: Outcome) -> bool:
    """Look for remote code and templates in a JSON document; whether it is one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    for key, value in _strings(document):
        if key == "auto_map" or (key == "trust_remote_code" and value == "true"):
            message = f"`{key}` asks for Python from the repository to be run: {value[:120]!r}."
            outcome.findings.append(rules.REMOTE.finding(message, blob.place()))
        elif "{{" in value or "{%" in value:
            judge_text(blob, value, outcome)
    return True


def _strings(document: Any) -> list[tuple[str, str]]:
    found = []
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, str):
            found.append((key, value))
        elif key == "trust_remote_code" and value is True:
            found.append((key, "true"))
        elif isinstance(value, dict):
            if key == "auto_map":
                found.append((key, str(sorted(value.items(), key=str))[:300]))
            pending += [(str(name), item) for name, item in value.items()]
        elif isinstance(value, list):
            pending += [(key, item) for item in value]
    return found
