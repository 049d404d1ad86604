"""What is checked in Rego before an engine reads it.

Three things that an engine would accept and that would weaken a decision in silence: a pack that writes
into another pack's package; built-ins that reach the network, the environment or chance, so that the same
evidence could give another verdict; and a misspelt variable or input field, which regopy (unlike OPA)
takes as undefined, so that its rule can never hold.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from assay.core.errors import ConfigError
from assay.gate.engine import Module

_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([A-Za-z_][\w.]*)[ \t]*$", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*(?:package|import)[ \t][^\n]*", re.MULTILINE)
_IMPORTED = re.compile(r"^[ \t]*import[ \t][^\n]*?(\w+)[ \t]*$", re.MULTILINE)
_HEAD = re.compile(r"^(?:default[ \t]+)?([A-Za-z_]\w*)", re.MULTILINE)
_IMPURE = re.compile(r"(?<![\w.])(?:(http|opa|net|rand|uuid)\s*[.\[]|(time)\s*(?:\.\s*now_ns\b|\[))")
_BASE = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*(?=([.\[(])?)")
_CALL = re.compile(r"(?:\s*\.\s*\w+)+\s*\(")
_KEYWORDS = frozenset(
    {"else", "in", "if", "some", "every", "contains", "not", "with", "as", "default", "null"}
)
_INPUT = re.compile(r"(?<![\w.])input\s*\.\s*(\w+)")


def check_modules(modules: Sequence[Module], package: str) -> None:
    """Refuse what weakens a decision.

    Args:
        modules: all sources of a pack; `*_test.rego` may be in `PACKAGE_test`.
        package: the pack's package.

    Raises:
        ConfigError: the package is not the pack's own, a forbidden built-in is named, or a variable or
            field of `input` cannot exist.
    """
    codes = {module: _QUOTED.sub(_blank, module.source) for module in modules}
    rules = {name for code in codes.values() for name in _HEAD.findall(code)}
    for module, code in codes.items():
        test = module.name.endswith("_test.rego")
        _require_package(module, code, package, test=test)
        _require_pure(module, code)
        if not test:
            _require_fields(module, code)
        _require_bound(module, code, rules)


def _blank(quoted: re.Match[str]) -> str:
    text = quoted.group()
    return "" if text.startswith("#") else '""' + "\n" * text.count("\n")


def _require_pure(module: Module, code: str) -> None:
    impure = _IMPURE.search(code)
    if impure:
        name = impure.group(1) or "time.now_ns"
        raise ConfigError(
            f"line {_line(code, impure.start())}: uses {name}, which a policy may not",
            subject=module.name,
            remedy="A decision depends on its input alone: use input.now for the time.",
        )


def _require_package(module: Module, code: str, package: str, *, test: bool) -> None:
    found = _PACKAGE.search(code)
    named = found.group(1) if found else ""
    allowed = {package, f"{package}_test"} if test else {package}
    if named not in allowed and not named.startswith(f"{package}."):
        raise ConfigError(
            f"is package {named or '(none)'}",
            subject=module.name,
            remedy=f"Write `package {package}`, or set `name` in pack.yaml.",
        )


def _require_fields(module: Module, code: str) -> None:
    known = _input_fields()
    for found in _INPUT.finditer(code):
        if found.group(1) not in known:
            raise ConfigError(
                f"line {_line(code, found.start())}: input has no field {found.group(1)!r}",
                subject=module.name,
                remedy=f"It has: {', '.join(sorted(known))}.",
            )


def _require_bound(module: Module, code: str, rules: Collection[str]) -> None:
    """Refuse a name that stands only before `.` or `[`: nothing can have bound it."""
    bound = {"input", "data", *rules, *_IMPORTED.findall(code)}
    based: dict[str, int] = {}
    for found in _BASE.finditer(_IMPORT.sub("", code)):
        name, after = found.group(1), found.group(2)
        if after in {".", "["} and not _CALL.match(found.string, found.end()):
            based.setdefault(name, found.start())
        else:
            bound.add(name)
    unknown = [name for name in based if name not in bound and name not in _KEYWORDS]
    if unknown:
        start = re.search(rf"(?<![\w.]){unknown[0]}\s*[.\[]", code)
        raise ConfigError(
            f"line {_line(code, start.start() if start else 0)}: {unknown[0]!r} is bound nowhere",
            subject=module.name,
            remedy="Correct the name; a rule with an unknown variable never holds.",
        )


def _line(code: str, position: int) -> int:
    return code.count("\n", 0, position) + 1


@lru_cache(maxsize=1)
def _input_fields() -> frozenset[str]:
    from assay.gate.document import GateInput  # noqa: PLC0415  start-up

    return frozenset(field.name for field in dataclasses.fields(GateInput))
