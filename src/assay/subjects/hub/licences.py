"""Licences of models: recognised by their text, and by the many names that cards give them.

`licences.yaml` holds both. A text is recognised by phrases that stand in it and in no other licence; case,
punctuation and line breaks do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.core.errors import SubjectError
from assay.subjects.hub.files import read_small

FILE = re.compile(
    r"(?!.*\.(py|js|sh|json|ya?ml|toml|bin|safetensors)$)"
    r"(((un)?licen[cs]e|copying|notice|use[_-]?policy|eula|terms)([._-].{0,60})?"
    r"|.{0,60}[._-]licen[cs]e(\.(txt|md))?)",
    re.IGNORECASE,
)
MAX_FILES = 50
MAX_TEXT = 1024 * 1024
_WORDS = re.compile(r"[^a-z0-9+]+")  # `openrail` and `openrail++` are two licences


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence.

    Attributes:
        id: SPDX identifier, or a name of ours where SPDX has none.
        kind: `permissive`, `copyleft`, `conditional` (uses are restricted) or `non-commercial`.
        spdx: whether `id` is SPDX's.
    """

    id: str
    kind: str
    spdx: bool

    @property
    def permissive(self) -> bool:
        """Whether it allows any use and asks for no more than attribution."""
        return self.kind == "permissive"


@dataclass(frozen=True, slots=True)
class _Entry:
    licence: Licence
    names: tuple[str, ...]
    phrases: tuple[str, ...]
    absent: tuple[str, ...]


def licence_named(text: str) -> Licence | None:
    """The licence that a card means by `text`: an SPDX identifier, the hub's, or a common name."""
    return _by_name().get(_plain(text))


def licences_in(text: str) -> tuple[Licence, ...]:
    """Every licence whose text stands in `text`."""
    plain = f" {_plain(text)} "
    return tuple(
        entry.licence
        for entry in _entries()
        if entry.phrases
        and all(f" {phrase} " in plain for phrase in entry.phrases)
        and not any(f" {phrase} " in plain for phrase in entry.absent)
    )


def read_licence_files(folder: Path) -> tuple[dict[str, tuple[Licence, ...]], list[SubjectError]]:
    """The licences in each licence file at the top of `folder`, and the files that could not be read."""
    names = sorted(p.name for p in folder.iterdir() if FILE.fullmatch(p.name) and p.is_file())
    found: dict[str, tuple[Licence, ...]] = {}
    problems: list[SubjectError] = []
    for name in names[:MAX_FILES]:
        try:
            raw = read_small(folder / name, MAX_TEXT)
        except SubjectError as error:
            problems.append(error)
        else:
            found[name] = licences_in((raw or b"").decode("utf-8", "replace"))
    return found, problems


def _plain(text: str) -> str:
    return _WORDS.sub(" ", text.lower()).strip()


@lru_cache(maxsize=1)
def _entries() -> tuple[_Entry, ...]:
    document = read_data(Path(__file__).with_name("licences.yaml"))
    return tuple(_entry(raw) for raw in document["licences"])


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, Licence]:
    return {name: entry.licence for entry in _entries() for name in entry.names}


def _entry(raw: Mapping[str, Any]) -> _Entry:
    licence = Licence(raw["id"], raw["kind"], raw.get("spdx", True))
    names = (raw["id"], *raw.get("names", ()))
    return _Entry(
        licence,
        tuple(_plain(name) for name in names),
        tuple(_plain(phrase) for phrase in raw.get("text", ())),
        tuple(_plain(phrase) for phrase in raw.get("absent", ())),
    )
