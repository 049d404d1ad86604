"""Rule packs: what the guard looks for, as data (README.md says what each key means)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.core.errors import ConfigError
from assay.core.finding import Severity

# What fits any text, training data and model files included; the rest is for traffic.
PACKS = ("secrets", "injection", "extraction")
ALL_PACKS = (
    *PACKS,
    "languages",
    "jailbreak",
    "documents",
    "tools",
    "exfiltration",
    "markup",
    "ssrf",
    "hidden",
)
_FOLDER = Path(__file__).parent
_FRAGMENT = re.compile(r"\{\{([a-z-]+)\}\}")


@dataclass(frozen=True, slots=True)
class GuardRule:
    """One rule of a pack; see README.md for what each field means."""

    id: str
    title: str
    severity: Severity
    literals: tuple[str, ...]
    pattern: str
    example: str
    counter_example: str
    tags: tuple[str, ...] = ()
    validator: str = ""
    with_literals: tuple[str, ...] = ()
    certain: bool = False
    score: float = 0.6
    negatable: bool = False
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """`secret`, `injection`, `jailbreak`, `extraction` and so on."""
        return self.id.split("/", 1)[0]


_KEYS = frozenset(field.name for field in fields(GuardRule))


def load_pack(name: str) -> tuple[GuardRule, ...]:
    """The rules of a built-in pack.

    Raises:
        ConfigError: a rule is not well-formed.
    """
    rules = read_data(_FOLDER / f"{name}.yaml")
    return parse_rules(rules, source=f"rules/{name}.yaml")


def parse_rules(rules: Iterable[Any], *, source: str) -> tuple[GuardRule, ...]:
    """Rules as a pack holds them, their fragments filled in.

    Raises:
        SubjectError: a rule does not have the shape.
        ConfigError: it has a key that there is not, or names a fragment that does not exist.
    """
    from assay.core.codec import from_json  # noqa: PLC0415  start-up

    rules = list(rules)
    for one in rules:
        if unknown := sorted(set(one) - _KEYS):
            raise ConfigError(
                f"unknown key {unknown[0]!r} in a rule", subject=source, remedy="See docs/guard.md."
            )
    filled = [{**one, "pattern": fill(one["pattern"], _fragments())} for one in rules]
    return tuple(from_json(GuardRule, one, source=source) for one in filled)


def plain(example: str) -> str:
    """An example as a text: without the marks that keep it from looking like a leaked secret."""
    return example.replace("\u00a6", "")


def fill(pattern: str, fragments: Mapping[str, str]) -> str:
    """A pattern with `{{name}}` replaced by that fragment, which may itself name others.

    Raises:
        ConfigError: there is no such fragment.
    """

    def fragment(match: re.Match[str]) -> str:
        if match[1] not in fragments:
            raise ConfigError(f"no fragment {match[1]!r}", remedy="See rules/fragments.yaml.")
        return "(?:" + fill(fragments[match[1]], fragments) + ")"

    return _FRAGMENT.sub(fragment, pattern)


@lru_cache(maxsize=1)
def _fragments() -> dict[str, str]:
    named: dict[str, str] = read_data(_FOLDER / "fragments.yaml")
    return named
