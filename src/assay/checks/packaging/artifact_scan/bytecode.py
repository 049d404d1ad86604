"""Byte code and its source: Python runs a `.pyc` in place of the `.py` that a reviewer reads.

A `.pyc` names its source by time and size or by hash (PEP 552), which whoever wrote it chose; so names and
texts of the code itself must stand in the source, too. Byte code that is a source's own is only noted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.subject_files import file_of
from assay.core.errors import AssayError, SubjectError
from assay.core.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from assay.subjects.bytecode import BytecodeHeader

MAX_SOURCE = 1 << 20  # bytes
MAX_NAMED = 8
_CACHE = "__pycache__"
# What a name of a module and a name of its function do together, where nothing tells whether they meet.
_GRAVE = frozenset({"process", "execute", "hidden", "native", "network", "unpickle"})
_BLIND = ", run without a look at its source,"
_BARE = frozenset({"exec", "eval", "__import__"})


@dataclass(frozen=True, slots=True)
class Bytecode:
    """A `.pyc`, as it was read.

    Attributes:
        file: its name, as `Blob.name`.
        place: where it is.
        header: what it says of its source; None where it says nothing that can be read.
        names, texts: of all its code.
        trouble: why its code could not be read.
    """

    file: str
    place: Location
    header: BytecodeHeader | None = None
    names: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    name: str
    content: bytes


def judge(one: Bytecode, folder: Path | None) -> Iterator[Finding]:
    """Hold a `.pyc` against the source beside it, in `folder`."""
    return _judge(one, _source_of(one.file, folder))


def source_name(name: str) -> str:
    """Where the source of a `.pyc` lies: beside it, or beside the `__pycache__` that it is in (PEP 3147)."""
    path = PurePosixPath(name)
    if path.parent.name == _CACHE:
        return (path.parent.parent / f"{path.name.split('.')[0]}.py").as_posix()
    return path.with_suffix(".py").as_posix()


def _source_of(name: str, folder: Path | None) -> _Source | None:
    source = source_name(name)
    path = file_of(source, folder)
    if path is None or path.stat().st_size > MAX_SOURCE:
        return None
    return _Source(path, PurePosixPath(source).name, path.read_bytes())


def _judge(one: Bytecode, source: _Source | None) -> Iterator[Finding]:
    if one.header is None or one.trouble:
        blind = one.header is not None and not one.header.checked
        message = f"Python byte code{_BLIND if blind else ''} that cannot be read: {one.trouble}"
        yield _finding(one, message, Severity.HIGH if blind else None)
        return
    version = f"Byte code of Python {'.'.join(map(str, one.header.version or ()))}"
    if source is None:
        yield _without_source(one, version)
        return
    foreign = _foreign(one, source)
    current = _is_current(one.header, source)
    if foreign is None:
        yield _finding(one, f"{version}; {source.name} beside it is no Python that can be read", None)
    elif foreign:
        shown = ", ".join(repr(name[:40]) for name in foreign[:MAX_NAMED])
        message = f"{version} has {shown}, which {source.name} beside it has not: it is another program"
        severity = Severity.HIGH if current else Severity.MEDIUM
        yield _finding(one, f"{message}{_does(one.names)}", severity)
    elif current:
        yield _finding(one, f"{version}; its names and texts are those of {source.name}", Severity.INFO)
    else:
        message = f"{version}, made from another state of {source.name}: Python makes it anew"
        yield _finding(one, message, Severity.LOW)


def _without_source(one: Bytecode, version: str) -> Finding:
    does = _does(one.names)
    blind = one.header is not None and not one.header.checked
    message = f"{version}{_BLIND if blind else ''} without a source beside it{does}"
    return _finding(one, message, Severity.HIGH if does or blind else None)


def _is_current(header: BytecodeHeader, source: _Source) -> bool:
    """Whether Python may run the byte code in place of that source.

    The time is not compared: whoever copies or unpacks both sets it.
    """
    if not header.by_hash:
        return header.size in {None, len(source.content) & 0xFFFF_FFFF}
    from assay.subjects.bytecode import source_hash  # noqa: PLC0415  start-up

    same = header.digest == source_hash(source.content, header.magic, header.version or (3, 7))
    return same or not header.checked


def _foreign(one: Bytecode, source: _Source) -> list[str] | None:
    """What the code has and the source has not; None where the source cannot be read."""
    from assay.subjects.bytecode.vocabulary import foreign, vocabulary  # noqa: PLC0415  start-up

    try:
        return list(foreign(one.names, one.texts, vocabulary(_tree(source.content))))
    except AssayError:
        return None


def _tree(content: bytes) -> ast.Module:
    from assay.subjects.python_source import cookie, is_plain, parsing  # noqa: PLC0415  start-up

    encoding = cookie(content)
    if not is_plain(encoding):
        raise SubjectError("its encoding is none in which it reads as it looks")
    try:
        return parsing.parse(content.decode("utf-8-sig" if encoding in {"", "utf-8"} else encoding))
    except UnicodeDecodeError as error:
        raise SubjectError("it is not in the encoding that it declares") from error


def _does(named: frozenset[str]) -> str:
    """What runs programs, reaches the network or loads code among names, as the end of a sentence."""
    from assay.checks.packaging.artifact_scan.texts.python_calls import names  # noqa: PLC0415  start-up

    found = set()
    for full in names(_GRAVE):
        module, _, function = full.rpartition(".")
        if function in named and (module in named or (module == "builtins" and function in _BARE)):
            found.add(full.removeprefix("builtins."))
    return f". It names {', '.join(sorted(found)[:MAX_NAMED])}" if found else ""


def _finding(one: Bytecode, message: str, severity: Severity | None) -> Finding:
    return rules.code.BYTECODE.finding(f"{message}.", one.place, severity=severity)
