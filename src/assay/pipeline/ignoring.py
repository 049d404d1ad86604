"""The ignore file: found beside `assay.yaml` or named by the user, never taken from what is examined."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assay.core.codec import from_json
from assay.core.config import IgnoreFile
from assay.core.errors import ConfigError, SubjectError
from assay.core.folders import unreadable
from assay.core.ignoring import FILE_NAME, IgnoreEntry
from assay.core.strict_yaml import read_yaml
from assay.core.subject import Subject, SubjectKind
from assay.pipeline.project import LoadedProject

MAX_REPORT = 256 << 20


def load_ignore_file(file: Path) -> tuple[IgnoreEntry, ...]:
    """The entries of `file`, those that have run out included.

    Raises:
        ConfigError: it cannot be read, or an entry is not as it should be.
    """
    document = read_yaml(file)
    try:
        read = IgnoreFile.model_validate(document if document is not None else {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{key}: {first['msg']}",
            subject=str(file),
            remedy="An entry has rule, path, name or fingerprint, and reason and expires.",
        ) from error
    return tuple(IgnoreEntry(**entry.model_dump()) for entry in read.ignore)


def project_ignores(project: LoadedProject, parts: Sequence[Subject] = ()) -> tuple[IgnoreEntry, ...]:
    """The entries of the ignore file beside `assay.yaml`; none where there is no such file.

    Raises:
        ConfigError: it cannot be read, an entry is not as it should be, or it lies inside one of `parts`.
    """
    file = project.root / FILE_NAME
    if not file.exists():
        return ()
    if inside := lies_inside(file, parts):
        raise ConfigError(
            f"lies inside {inside}, which is a part of the release",
            subject=str(file),
            remedy="Move assay.yaml and it out of there: whoever made that part could hide anything with it.",
        )
    return load_ignore_file(file)


def known_findings(file: Path) -> tuple[IgnoreEntry, ...]:
    """Entries for all findings of an earlier JSON report, which count as known.

    Raises:
        ConfigError: it is no such report.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_REPORT + 1)
        if len(raw) > MAX_REPORT:
            cause = f"is larger than {MAX_REPORT:,} bytes"
            raise ConfigError(cause, subject=str(file), remedy="Name a JSON report that Assay made.")
        return tuple(_known(json.loads(raw), file))
    except OSError as error:
        raise unreadable(file, error, kind=ConfigError) from error
    except (ValueError, LookupError, TypeError, RecursionError, SubjectError) as error:
        raise ConfigError(
            "is not a JSON report of Assay", subject=str(file), remedy="Make one with `-o json=FILE`."
        ) from error


def _known(document: Any, file: Path) -> Iterator[IgnoreEntry]:
    for report in document["reports"]:
        for finding in report["findings"]:
            entry = {"check": report["check"], "fingerprint": finding["fingerprint"]}
            if not all(entry.values()):
                raise ValueError("a finding without a fingerprint")
            yield from_json(IgnoreEntry, {**entry, "reason": f"known since {file.name}"}, source=str(file))


def lies_beside(file: Path, subjects: Sequence[Subject]) -> str:
    """The name of an examined file that `file` lies beside, in a folder of no checkout of the user's, or "".

    Whoever goes into a folder that was downloaded, and names its files, has found the downloaded ignore file.
    """
    folder = file.resolve().parent
    if any((above / ".git").exists() for above in (folder, *folder.parents)):
        return ""
    files = (one for one in subjects if one.kind is SubjectKind.FILE)
    return next((one.name for one in files if one.path.resolve().parent == folder), "")


def lies_inside(file: Path, subjects: Sequence[Subject]) -> str:
    """The name of the examined folder that `file` lies in, or "": its author could hide anything with it."""
    place = file.resolve()
    for subject in subjects:
        if subject.kind in {SubjectKind.ENDPOINT, SubjectKind.ENVIRONMENT} or not subject.is_folder():
            continue
        if place.is_relative_to(subject.path.resolve()):
            return subject.name
    return ""
