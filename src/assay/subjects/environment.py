"""A Python environment: the distributions installed in it, read from their metadata alone.

Nothing is imported and nothing is run, so an environment can be named and looked at without trusting it.
The layout is that of the PyPA's specifications "Recording installed projects" and "Core metadata".

An environment's digest is taken over the canonical JSON of its Python version and, for every distribution,
its name, its version and the SHA-256 of its RECORD, which in turn lists the SHA-256 of every file. Where
it lies has no say in that, except as far as RECORDs do: pip records console scripts, and those hold the path.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from assay.core.canonical import JSON
from assay.core.errors import LimitError, SubjectError
from assay.core.report import Skipped
from assay.core.subject import Subject, SubjectKind

MAX_METADATA = 8 << 20
MAX_RECORD = 64 << 20
MAX_DISTRIBUTIONS = 20_000
_INFO = re.compile(r"(?i)^(?P<name>[^-]+)(?:-(?P<version>[^-]+).*)?\.(dist-info|egg-info)$")
_NAME = re.compile(r"(?i)^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution.

    Attributes:
        name, version: as its metadata states them.
        folder: the site-packages it lies in; RECORD's paths are relative to it.
        info: its `.dist-info` folder, `.egg-info` folder or `.egg-info` file.
        metadata: the headers of METADATA or PKG-INFO.
        record: bytes of RECORD, or None where there is none (Debian packages, old installers).
        record_sha256: SHA-256 of RECORD; of the metadata headers where there is no RECORD.
    """

    name: str
    version: str
    folder: Path
    info: Path
    metadata: Message
    record: bytes | None
    record_sha256: str

    @property
    def canonical_name(self) -> str:
        """The name as the index compares it (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    def extra_file(self, name: str, limit: int = MAX_METADATA) -> bytes | None:
        """A file of the `.dist-info` folder, such as `direct_url.json`; None if it is not there.

        Raises:
            SubjectError: it is there and cannot be read.
        """
        return read_bounded(self.info / name, limit)


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment. `skipped` names distributions whose metadata is broken."""

    prefix: Path
    python: str
    folders: tuple[Path, ...]
    distributions: tuple[Distribution, ...]
    skipped: tuple[Skipped, ...]

    def document(self) -> JSON:
        """What the environment's digest is taken over."""
        listed = sorted([d.canonical_name, d.version, d.record_sha256] for d in self.distributions)
        broken = sorted(skipped.what for skipped in self.skipped)
        return {"python": self.python, "distributions": listed, "broken": broken}


def environment_subject(prefix: str = "") -> Subject:
    """Name the Python environment at `prefix` by what is installed in it; "" is the running one.

    Raises:
        SubjectError: there is no Python environment.
    """
    return subject_of(read_environment(prefix), prefix)


def subject_of(environment: Environment, name: str = "") -> Subject:
    """The subject of an environment that was read already."""
    location = str(environment.prefix)
    return Subject.from_document(SubjectKind.ENVIRONMENT, name or location, environment.document(), location)


def read_environment(prefix: Path | str = "") -> Environment:
    """Read the metadata of every distribution installed at `prefix`; "" is the running environment.

    Raises:
        SubjectError: there is no Python environment.
        LimitError: more than 20,000 distributions.
    """
    root = Path(prefix or sys.prefix).absolute()
    running = _same(root, Path(sys.prefix))
    folders = _running_folders() if running else _folders_below(root)
    if not folders:
        raise SubjectError(
            "is no Python environment: there is no lib/pythonX.Y/site-packages in it",
            subject=str(prefix),
            remedy="Name the folder that holds bin/python, such as .venv.",
        )
    found: list[Distribution] = []
    skipped = [] if running else list(_outside(root))
    for info in sorted(info for folder in folders for info in _infos(folder)):
        if len(found) >= MAX_DISTRIBUTIONS:
            raise LimitError(f"more than {MAX_DISTRIBUTIONS:,} distributions", subject=str(prefix))
        try:
            found.append(_distribution(info))
        except SubjectError as error:
            skipped.append(Skipped(info.name, error.cause, "Reinstall this package."))
    python = _running_version() if running else _version_of(root, folders[0])
    return Environment(root, python, folders, tuple(found), tuple(skipped))


def read_bounded(path: Path, limit: int) -> bytes | None:
    """A regular file of at most `limit` bytes; None if there is none.

    Raises:
        SubjectError: it is larger, not a regular file, or cannot be read.
    """
    try:
        # O_NONBLOCK: a FIFO that took the file's place must not hang us.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read: {error.strerror}", subject=str(path)) from error
    with open(fd, "rb") as file:  # noqa: PTH123  from a descriptor
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            raise SubjectError(f"{path.name} is not a regular file", subject=str(path))
        if state.st_size > limit:
            raise LimitError(f"{path.name} is larger than {limit:,} bytes", subject=str(path))
        try:
            return file.read(limit)
        except OSError as error:
            raise SubjectError(f"{path.name} cannot be read: {error.strerror}", subject=str(path)) from error


def _distribution(info: Path) -> Distribution:
    raw = _metadata(info)
    if raw is None:
        raise SubjectError("has no METADATA", subject=str(info))
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    message = HeaderParser().parsestr(head.decode("utf-8", "replace"))
    name, version = (str(message.get(key) or "").strip() for key in ("Name", "Version"))
    if not _NAME.match(name) or not version or len(name) + len(version) > 400:  # noqa: PLR2004  a sane bound
        raise SubjectError("its METADATA states no valid name and version", subject=str(info))
    record = read_bounded(info / "RECORD", MAX_RECORD) if info.is_dir() else None
    digest = hashlib.sha256(head if record is None else record).hexdigest()
    return Distribution(name, version, info.parent, info, message, record, digest)


def _metadata(info: Path) -> bytes | None:
    if info.name.endswith(".dist-info"):
        return read_bounded(info / "METADATA", MAX_METADATA)
    if info.is_dir():
        return read_bounded(info / "PKG-INFO", MAX_METADATA)
    return read_bounded(info, MAX_METADATA)


def _infos(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=str(folder)) from error
    # pip renames what it is about to remove to begin with a tilde; it is not importable metadata.
    yield from (folder / name for name in names if _INFO.match(name) and not name.startswith("~"))


def _running_folders() -> tuple[Path, ...]:
    import site  # noqa: PLC0415  start-up
    import sysconfig  # noqa: PLC0415

    named = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        named.append(site.getusersitepackages())
    return _unique(Path(name) for name in named)


def _folders_below(root: Path) -> tuple[Path, ...]:
    patterns = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3/dist-packages")
    return _unique(folder for pattern in patterns for folder in sorted(root.glob(pattern)))


def _unique(folders: Iterator[Path]) -> tuple[Path, ...]:
    kept: dict[Path, Path] = {}
    for folder in folders:
        if folder.is_dir():
            kept.setdefault(folder.resolve(), folder)
    return tuple(kept.values())


def _outside(root: Path) -> Iterator[Skipped]:
    if _pyvenv(root).get("include-system-site-packages", "false").lower() == "true":
        yield Skipped(
            "system site-packages",
            "this environment also imports what the system's Python has installed",
            "Run Assay with the environment's own Python, or make it without --system-site-packages.",
        )


def _pyvenv(root: Path) -> Mapping[str, str]:
    text = (read_bounded(root / "pyvenv.cfg", 1 << 16) or b"").decode("utf-8", "replace")
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _version_of(root: Path, folder: Path) -> str:
    known = _pyvenv(root)
    stated = re.match(r"\d+\.\d+(\.\d+)?", known.get("version_info") or known.get("version") or "")
    if stated:
        return stated[0]
    in_path = re.search(r"python(\d+\.\d+)", str(folder))
    return in_path[1] if in_path else "3"


def _running_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:
        return False
