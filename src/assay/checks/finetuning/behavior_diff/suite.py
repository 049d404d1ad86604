"""Suites: JSONL files of prompts with what is expected of the answer, one object a line.

    {"id": "faq-01", "prompt": "What does shipping cost?", "expect": {"contains": ["4.90"]}}

`expect` has one key: `contains` (all texts, whatever their case), `equals` (but for case and outer space),
`regex` (RE2 syntax, found anywhere) or `refusal` (true for a harmful prompt, false for a harmless one).
Without `expect` a prompt only counts for agreement. `id` and `system` are optional.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2

from assay.checks.probing.named_files import MAX_SYSTEM, locate, read_text
from assay.core.errors import ConfigError

MAX_FILE = 32_000_000
MAX_PROMPTS = 50_000
MAX_PROMPT = 100_000
_KEYS = frozenset({"id", "prompt", "system", "expect"})
_EXPECTATIONS = ("contains", "equals", "regex", "refusal")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a right answer looks like; exactly one attribute is not None.

    Attributes:
        contains: all of these occur in it.
        equals: it is this.
        regex: a compiled RE2 pattern that is found in it.
        refusal: whether it refuses.
    """

    contains: tuple[str, ...] | None = None
    equals: str | None = None
    regex: Any = None
    refusal: bool | None = None

    def shown(self) -> str:
        """The expectation for people, in one short line."""
        if self.refusal is not None:
            return "a refusal" if self.refusal else "no refusal"
        if self.contains is not None:
            return "contains " + ", ".join(map(repr, self.contains))
        return f"equals {self.equals!r}" if self.equals is not None else f"matches {self.regex.pattern!r}"


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt of a suite."""

    id: str
    suite: str
    prompt: str
    system: str
    expect: Expectation | None


def read_suites(paths: list[str], root: str, system: str) -> tuple[Case, ...]:
    """All prompts of the suites at `paths`, in order.

    Args:
        paths: JSONL files, absolute or relative to `root`.
        root: a folder, or "" where no path is relative.
        system: the system prompt of cases that name none.

    Raises:
        ConfigError: a file cannot be read, a line is not as it should be, or an id occurs twice.
    """
    cases: list[Case] = []
    for path in paths:
        file = locate(path, root)
        cases += _read(file, _unique_name(file, cases), system)
        if len(cases) > MAX_PROMPTS:
            raise ConfigError(f"the suites hold more than {MAX_PROMPTS:,} prompts", subject=path)
    return tuple(cases)


def _unique_name(file: Path, cases: list[Case]) -> str:
    taken, name, count = {case.suite for case in cases}, file.stem, 2
    while name in taken:
        name, count = f"{file.stem}-{count}", count + 1
    return name


def _read(file: Path, suite: str, system: str) -> list[Case]:
    cases: list[Case] = []
    seen: set[str] = set()
    # Not splitlines: JSON strings may hold U+2028 and its like unescaped.
    for number, line in enumerate(read_text(file, MAX_FILE).split("\n"), 1):
        if not line.strip():
            continue
        try:
            case = _case(line, f"{suite}-{number}", suite, system)
        except ConfigError as error:
            raise ConfigError(error.cause, subject=f"{file}:{number}", remedy=_REMEDY) from error
        if case.id in seen:
            raise ConfigError(f"id {case.id!r} occurs twice", subject=f"{file}:{number}", remedy=_REMEDY)
        seen.add(case.id)
        cases.append(case)
    if not cases:
        raise ConfigError("holds no prompts", subject=str(file), remedy=_REMEDY)
    return cases


_REMEDY = (
    'A line is {"id": …, "prompt": …, "expect": {…}}; docs/checks/model.behavior-diff.md lists expectations.'
)


def _case(line: str, default_id: str, suite: str, system: str) -> Case:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError("is not a JSON object")
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise ConfigError(f"unknown key {unknown[0]!r}")
    prompt = _text(document, "prompt", None, MAX_PROMPT)
    identity = _text(document, "id", default_id, 200)
    return Case(identity, suite, prompt, _text(document, "system", system, MAX_SYSTEM), _expect(document))


def _text(document: dict[str, Any], key: str, default: str | None, limit: int) -> str:
    value = document.get(key, default)
    if not isinstance(value, str) or (key in {"prompt", "id"} and not value.strip()):
        raise ConfigError(f"{key!r} is not a text" if key in document else f"there is no {key!r}")
    if len(value) > limit:
        raise ConfigError(f"{key!r} is longer than {limit:,} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ConfigError(f"{key!r} holds half of a surrogate pair, which no request can carry")
    return value


def _expect(document: dict[str, Any]) -> Expectation | None:
    expect = document.get("expect")
    if expect is None:
        return None
    if not isinstance(expect, dict) or len(expect) != 1:
        raise ConfigError(f"'expect' needs exactly one of {', '.join(_EXPECTATIONS)}")
    ((kind, value),) = expect.items()
    if kind == "refusal" and isinstance(value, bool):
        return Expectation(refusal=value)
    if kind == "equals" and isinstance(value, str):
        return Expectation(equals=value)
    if kind == "regex" and isinstance(value, str):
        return Expectation(regex=_compile(value))
    if kind == "contains" and _is_texts(value):
        return Expectation(contains=tuple(value))
    if kind in _EXPECTATIONS:
        raise ConfigError(f"the value of {kind!r} is of the wrong kind")
    raise ConfigError(f"unknown expectation {kind!r}; known: {', '.join(_EXPECTATIONS)}")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) and text for text in value)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "cannot be compiled"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ConfigError(f"regex {pattern!r}: {text}") from error
