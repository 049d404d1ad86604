"""The attacks that the search starts from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.checks.probing.named_files import locate, read_text
from assay.core.data_files import read_data
from assay.core.errors import ConfigError
from assay.guard.verdict import Source

_BUILTIN = Path(__file__).with_name("attacks.yaml")
MAX_FILE = 16 << 20  # bytes
MAX_TEXT = 20_000  # characters
MAX_ATTACKS = 10_000


@dataclass(frozen=True, slots=True)
class Attack:
    """One known attack in plain words, what kind it is, and where such a text comes from."""

    text: str
    kind: str
    source: Source


def read_attacks(files: Sequence[str], root: str, *, builtin: bool) -> tuple[Attack, ...]:
    """The built-in attacks and those of the user's files.

    Raises:
        ConfigError: a file cannot be read, a line is no attack, or there is nothing to try.
    """
    attacks = list(_builtin()) if builtin else []
    for name in files:
        attacks += _of_file(locate(name, root))
    if not attacks:
        raise ConfigError("there are no attacks to try", subject="attacks", remedy="Name a file of them.")
    if len(attacks) > MAX_ATTACKS:
        raise ConfigError(f"more than {MAX_ATTACKS:,} attacks", subject="attacks", remedy="Try a sample.")
    return tuple(dict.fromkeys(attacks))


def _builtin() -> Iterator[Attack]:
    for kind in read_data(_BUILTIN):
        for text in kind["texts"]:
            yield Attack(text, kind["kind"], Source(kind["source"]))


def _of_file(path: Path) -> Iterator[Attack]:
    lines = read_text(path, MAX_FILE).splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _attack(line, f"{path}:{number}")


def _attack(line: str, where: str) -> Attack:
    try:
        row: Mapping[str, Any] = json.loads(line)
        text, kind = row["text"], row.get("kind", "other")
        source = Source(row.get("source", "user"))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"is no attack: {error}",
            subject=where,
            remedy='Write {"text": "…", "kind": "…", "source": "user"} a line.',
        ) from error
    if not isinstance(text, str) or not isinstance(kind, str) or not 0 < len(text) <= MAX_TEXT:
        raise ConfigError(f"`text` must have 1 to {MAX_TEXT:,} characters", subject=where)
    return Attack(text, kind[:100], source)
