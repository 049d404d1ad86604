"""RECORD against disk: whether installed code is still what was installed.

RECORD (PyPA "Recording installed projects") lists every file with its SHA-256 in URL-safe base64. Only files
whose content runs are compared; caches (`.pyc`) carry no hash there.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from assay.core.errors import SubjectError
from assay.subjects.environment import Distribution, Environment

_CODE = (".py", ".pth")
_NATIVE = re.compile(r"\.(so|pyd|dylib|dll)(\.[^/]*)?$")  # also with a version behind: libx.so.3
MAX_FILE = 4 << 30
BATCH = 256
CHUNK = 1 << 18
STARTUP = (".pth", "sitecustomize.py", "usercustomize.py")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a RECORD: whose it is, the path and the hash as written, such as `sha256=…`, or ""."""

    distribution: Distribution
    path: str
    hashed: str

    @property
    def sha256(self) -> str:
        """The recorded SHA-256 in hex; "" where none is recorded."""
        return _sha256(self.hashed)


@dataclass(slots=True)
class Comparison:
    """What comparing came to."""

    compared: int = 0
    modified: list[Entry] = field(default_factory=list)
    missing: list[Entry] = field(default_factory=list)
    unread: list[tuple[Entry, str]] = field(default_factory=list)


def entries(distribution: Distribution) -> Iterator[Entry]:
    """The lines of a distribution's RECORD.

    Raises:
        SubjectError: it is not CSV in UTF-8.
    """
    try:
        text = (distribution.record or b"").decode()
        for row in csv.reader(text.splitlines(), strict=True):
            if row and row[0]:
                yield Entry(distribution, row[0], row[1] if len(row) > 1 else "")
    except (UnicodeDecodeError, csv.Error) as error:
        raise SubjectError(f"its RECORD cannot be read: {error}", subject=distribution.name) from error


def _sha256(text: str) -> str:
    algorithm, _, value = text.partition("=")
    if algorithm != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return "malformed"  # equals no file's


def is_native(path: str) -> bool:
    """Whether a recorded path is a native library."""
    return _NATIVE.search(path) is not None


def is_code(path: str) -> bool:
    """Whether a recorded path is Python code, or a `.pth` file that can hold some."""
    return path.endswith(_CODE)


def compare(listed: Sequence[Entry], step: Callable[[int], None]) -> Comparison:
    """Hash the files of `listed` that carry a hash, in parallel; `step` is told how many are done."""
    result = Comparison()
    pending = iter([entry for entry in listed if entry.hashed])
    batches = iter(lambda: list(islice(pending, BATCH)), [])
    with ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 2)) as pool:
        for batch, outcomes in pool.map(lambda b: (b, [_outcome(e) for e in b]), batches):
            for entry, outcome in zip(batch, outcomes, strict=True):
                _record(result, entry, outcome)
            step(result.compared)
    return result


def _record(result: Comparison, entry: Entry, outcome: str) -> None:
    result.compared += 1
    if outcome == "modified":
        result.modified.append(entry)
    elif outcome == "missing":
        result.missing.append(entry)
    elif outcome:
        result.compared -= 1
        result.unread.append((entry, outcome))


def _outcome(entry: Entry) -> str:
    """`modified`, `missing`, a reason why it could not be read, or "" where all is well."""
    path = os.path.join(entry.distribution.folder, entry.path)  # noqa: PTH118  hot
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    try:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            return "modified"  # a device, pipe or folder took the file's place
        if state.st_size > MAX_FILE:
            return "is too large"
        digest = hashlib.sha256()
        while block := os.read(fd, CHUNK):
            digest.update(block)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    finally:
        os.close(fd)
    return "" if digest.hexdigest() == entry.sha256 else "modified"


def unrecorded_code(environment: Environment, recorded: set[Path]) -> list[Path]:
    """`.pth` files and start-up modules at the top of a site-packages that no RECORD lists."""
    return [
        path
        for folder in environment.folders
        for path in sorted(folder.iterdir())
        if path.name.endswith(STARTUP) and path not in recorded and path.is_file()
    ]
