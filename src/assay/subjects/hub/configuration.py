"""What a model's configuration files tell a loader: its shape, where it came from, and whose code to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import SubjectError
from assay.core.strict_json import MalformedError, parse_object
from assay.subjects.hub.files import read_small
from assay.subjects.hub.names import Repository, repository_in

# Each may carry an `auto_map` of its own.
FILES = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "generation_config.json",
    "adapter_config.json",
)
MAX_FILE = 8 * 1024 * 1024
MAX_CODE = 200
MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class RemoteCode:
    """Python that a loader would run: the file that asks, the class as written, another repository."""

    file: str
    reference: str
    elsewhere: Repository | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the files say. Text is as written, bounded; what is absent is empty.

    Attributes:
        name: `_name_or_path`: where the weights were loaded from when they were saved.
        base: `base_model_name_or_path` of an adapter.
        base_revision: the revision of that base that the adapter names.
        architectures, model_type: its shape.
        code: Python that a loader would run.
        trusted: files that set `trust_remote_code`.
    """

    name: str = ""
    base: str = ""
    base_revision: str = ""
    architectures: tuple[str, ...] = ()
    model_type: str = ""
    code: tuple[RemoteCode, ...] = ()
    trusted: tuple[str, ...] = ()


def read_configuration(folder: Path) -> tuple[Configuration, list[SubjectError]]:
    """Read the configuration files in `folder`, and say which of them could not be read."""
    documents: dict[str, dict[str, Any]] = {}
    problems: list[SubjectError] = []
    for file in FILES:
        try:
            document = _read(folder / file)
        except SubjectError as error:
            problems.append(error)
        else:
            documents[file] = document
    code = [found for file, document in documents.items() for found in _code(file, document)]
    main, adapter = documents.get("config.json", {}), documents.get("adapter_config.json", {})
    listed = main.get("architectures")
    return (
        Configuration(
            name=_text(main.get("_name_or_path")),
            base=_text(adapter.get("base_model_name_or_path")),
            base_revision=_text(adapter.get("revision")),
            architectures=tuple(_text(a) for a in listed[:20]) if isinstance(listed, list) else (),
            model_type=_text(main.get("model_type")),
            code=tuple(code[:MAX_CODE]),
            trusted=tuple(f for f, d in documents.items() if d.get("trust_remote_code") in (True, "true")),
        ),
        problems,
    )


def _read(path: Path) -> dict[str, Any]:
    raw = read_small(path, MAX_FILE)
    if raw is None:
        return {}
    try:
        return parse_object(raw, limit=MAX_FILE, what="file")
    except MalformedError as error:
        raise SubjectError(str(error), subject=path.name, remedy="Correct the file.") from error


def _code(file: str, document: dict[str, Any]) -> list[RemoteCode]:
    mapped = document.get("auto_map")
    values = list(mapped.values()) if isinstance(mapped, dict) else [mapped]
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    found = []
    for reference in flat:
        if isinstance(reference, str) and reference:
            # `org/name--module.Class`: the module is fetched from that repository when the model is loaded.
            place, dashes, _ = reference.partition("--")
            elsewhere = repository_in(place) if dashes else None
            found.append(RemoteCode(file, reference[:MAX_TEXT], elsewhere))
    return found


def _text(value: object) -> str:
    return value.strip()[:MAX_TEXT] if isinstance(value, str) else ""
