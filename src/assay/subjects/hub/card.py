"""A model card: the YAML between `---` lines at the top of `README.md`.

Read with bounds: no aliases (a few of them unfold to gigabytes), no key that stands twice (two readers would
see two cards), no tags but YAML's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assay.core.errors import LimitError, SubjectError
from assay.subjects.hub.files import read_small

FILE = "README.md"
# Cards of embedding models carry megabytes of benchmark results in their front matter.
MAX_CARD = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_EVENTS = 1_000_000
MAX_LISTED = 200
MAX_TEXT = 300
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
# The parser in C where the wheel brings it: ten times as fast, the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a card says. Text is as written, bounded; what is absent is empty.

    Attributes:
        present: whether there is a `README.md` at all.
        front_matter: whether it has a front matter.
        licences: `license`: identifiers of the hub's own list, mostly.
        licence_name, licence_link: what stands beside `license: other`.
        base_models: what the model was made from.
        relation: how: `finetune`, `quantized`, `adapter`, `merge`.
        datasets: what it was trained on.
        model_name, library, task: its name, library and pipeline tag.
        tags, languages: as listed.
    """

    present: bool = False
    front_matter: bool = False
    licences: tuple[str, ...] = ()
    licence_name: str = ""
    licence_link: str = ""
    base_models: tuple[str, ...] = ()
    relation: str = ""
    datasets: tuple[str, ...] = ()
    model_name: str = ""
    library: str = ""
    task: str = ""
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`.

    Raises:
        SubjectError: its front matter is not plain YAML, or is ambiguous.
        LimitError: it is too large or nested too deeply.
    """
    path = folder / FILE
    raw = read_small(path, MAX_CARD)
    if raw is None:
        return ModelCard()
    front = _FRONT.match(raw.decode("utf-8", "replace"))
    if front is None:
        return ModelCard(present=True)
    document = _plain_mapping(front[1])
    return ModelCard(
        present=True,
        front_matter=True,
        licences=_texts(document.get("license")),
        licence_name=_text(document.get("license_name")),
        licence_link=_text(document.get("license_link")),
        base_models=_texts(document.get("base_model")),
        relation=_text(document.get("base_model_relation")),
        datasets=_texts(document.get("datasets")),
        model_name=_text(document.get("model_name")),
        library=_text(document.get("library_name")),
        task=_text(document.get("pipeline_tag")),
        tags=_texts(document.get("tags")),
        languages=_texts(document.get("language")),
    )


def _plain_mapping(text: str) -> dict[str, Any]:
    try:
        _require_bounded(yaml.parse(text, _LOADER))
        node = yaml.compose(text, _LOADER)
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) != len(keys):
                raise _unreadable("a key stands twice in its front matter")
        document = yaml.load(text, _LOADER)  # noqa: S506  a safe loader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _unreadable("its front matter is not plain YAML") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _unreadable("its front matter is no mapping of keys")
    return document


def _require_bounded(events: Iterable[Any]) -> None:
    depth = 0
    for count, event in enumerate(events):
        if isinstance(event, yaml.AliasEvent):
            raise _unreadable("its front matter uses aliases")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            raise LimitError(
                "its front matter is too large or too deep", subject=FILE, remedy="Shorten the card."
            )


def _text(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()[:MAX_TEXT]
    return ""


def _texts(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    found = (_text(item) for item in listed[:MAX_LISTED])
    return tuple(dict.fromkeys(text for text in found if text))


def _unreadable(cause: str) -> SubjectError:
    return SubjectError(cause, subject=FILE, remedy="Correct the model card.")
