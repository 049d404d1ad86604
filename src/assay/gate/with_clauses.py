"""`with input as …` and `with data.x as …` in tests, for an engine that cannot evaluate them.

regopy (1.2 to 1.5.2) crashes when a rule under `with` calls a function or walks another rule. A test is
therefore rewritten: its `with` clauses are taken out, their terms become rules that are evaluated first,
and the test then runs with those values as its real `input` and `data`. That gives OPA's result as long as
a test says `with` in its own body, names one value per target, and uses no local variable in it; anything
else is refused by name, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.core.errors import GateError
from assay.gate.engine import Module

TERM_RULE = "assay_with_"
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
_CLAUSE = re.compile(r"\bwith\s+((?:input|data)(?:\.\w+)*)\s+as\s+")
_HEAD = re.compile(r"^([A-Za-z_]\w*)", re.MULTILINE)
_REMEDY = "Write `with` in the test's own body, one value per target; or test with an opa binary."


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A test file without `with`.

    Attributes:
        module: the file, its clauses blanked out, with a rule `assay_with_N` for each term.
        clauses: test to target to N.
        refused: rule to the reason why its clauses cannot be rewritten.
    """

    module: Module
    clauses: Mapping[str, Mapping[str, int]]
    refused: Mapping[str, str]


def rewrite(module: Module) -> Rewritten:
    """Take the `with` clauses out of a test file; lines keep their numbers."""
    masked = _QUOTED.sub(_masked, module.source)
    heads = [(found.start(), found.group(1)) for found in _HEAD.finditer(masked)]
    terms: list[str] = []
    clauses: dict[str, dict[str, int]] = {}
    refused: dict[str, str] = {}
    kept, position = [], 0
    for found in _CLAUSE.finditer(masked):
        end = _term_end(masked, found.end())
        term = module.source[found.end() : end].strip()
        owner = next((name for start, name in reversed(heads) if start < found.start()), "")
        if term not in terms:
            terms.append(term)
        number = terms.index(term)
        line = masked.count("\n", 0, found.start()) + 1
        if clauses.setdefault(owner, {}).setdefault(found.group(1), number) != number:
            refused[owner] = f"line {line}: {found.group(1)} has two values in one test"
        if not owner.startswith("test_"):
            refused[owner] = f"line {line}: `with` stands outside a test"
        kept += [
            module.source[position : found.start()],
            "\n" * module.source.count("\n", found.start(), end),
        ]
        position = end
    rules = "".join(f"\n{TERM_RULE}{number} := {term}\n" for number, term in enumerate(terms))
    source = "".join(kept) + module.source[position:] + rules
    return Rewritten(Module(module.name, source), clauses, refused)


def _masked(quoted: re.Match[str]) -> str:
    """Text of the same length and lines in which no word of Rego stands."""
    text = quoted.group()
    return re.sub(r"[^\n]", " " if text.startswith("#") else "~", text)


def _term_end(masked: str, start: int) -> int:
    depth = 0
    for index in range(start, len(masked)):
        letter = masked[index]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                return index
        elif depth == 0 and (letter in "\n;" or _CLAUSE.match(masked, index)):
            return index
    return len(masked)


def mocked(
    targets: Mapping[str, Any], data: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[dict[str, Any], Any]:
    """`data` and `input` with values put in place.

    Args:
        targets: `input`, `input.a`, `data.a.b` to the value that stands there.
        data: the real base document.
        document: the real input.

    Raises:
        GateError: a target lies below something that is not an object.
    """
    whole: dict[str, Any] = {"data": dict(data), "input": dict(document)}
    for target, value in sorted(targets.items()):
        place = whole
        *parents, last = target.split(".")
        for parent in parents:
            place[parent] = dict(place.get(parent, {}))
            place = place[parent]
        place[last] = value
    if not isinstance(whole["data"], dict):
        raise GateError("`with data as` needs an object", remedy=_REMEDY)
    return whole["data"], whole["input"]


def refusal(rewritten: Rewritten, test: str) -> GateError | None:
    """Why `test` cannot be run, if it cannot."""
    outside = [why for owner, why in rewritten.refused.items() if not owner.startswith("test_")]
    why = rewritten.refused.get(test) or (outside[0] if outside else "")
    return GateError(why, subject=rewritten.module.name, remedy=_REMEDY) if why else None
