"""A region of an open file, and the results of one file's examination."""

from __future__ import annotations

import mmap
import posixpath
from dataclasses import dataclass, field, replace

from assay.core.canonical import JSON
from assay.core.finding import Finding, Location
from assay.core.report import Skipped


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to examine.

    Attributes:
        data: the whole file, mapped; `fd` is its descriptor.
        start, end: the region.
        path: the file, relative to the subject.
        member: the path inside archives.
        depth: archives above it.
    """

    data: mmap.mmap
    fd: int
    start: int
    end: int
    path: str
    member: str = ""
    depth: int = 0

    @property
    def size(self) -> int:
        """Bytes in the region."""
        return self.end - self.start

    @property
    def name(self) -> str:
        """File or member name, for people."""
        return f"{self.path}!/{self.member}" if self.member else self.path

    def head(self, count: int) -> bytes:
        """The first bytes."""
        return bytes(self.data[self.start : min(self.start + count, self.end)])

    def inside(self, member: str) -> str:
        """The path of a member of this region through all archives."""
        return f"{self.member}!/{member}" if self.member else member

    def beside(self, location: str) -> str:
        """The name of the file at the relative path `location`, seen from the folder of this one."""
        archive, separator, own = self.name.rpartition("!/")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(own), location))
        return f"{archive}{separator}{path}"

    def region(self, start: int, end: int) -> Blob:
        """A part of this region, by absolute positions, under the same name."""
        return replace(self, start=start, end=min(end, self.end))

    def member_at(self, member: str, start: int, size: int) -> Blob:
        """A member of this archive that lies at the absolute position `start` of the same file."""
        return Blob(self.data, self.fd, start, start + size, self.path, self.inside(member), self.depth + 1)

    def place(self, offset: int | None = None) -> Location:
        """Where a finding in it is; `offset` counts from the start of the file."""
        inside = None if offset is None else max(0, offset - self.start)
        return Location(path=self.path, member=self.member, offset=inside)

    def at_line(self, line: int, name: str = "") -> Location:
        """Where a finding in a text is: its line, and the part of the document that the line counts in."""
        return Location(path=self.path, member=self.member, line=line, name=name)


@dataclass(frozen=True, slots=True)
class Claim:
    """Bytes of another file that a model file says are the numbers of one of its tensors.

    Attributes:
        file: the other file's name, as `Blob.name` would be.
        start, end: the bytes; `end` is None where they reach to the end of the file.
        owner: where the model file says so, with the tensor's name.
    """

    file: str
    start: int
    end: int | None
    owner: Location


@dataclass(slots=True)
class Outcome:
    """What examining one file gave.

    Attributes:
        findings, skipped, notes: as in a report.
        documents: what each region is, for the report's details.
        globals: full names that pickles import.
        imported: file, and full name of what its Python calls when it is imported.
        wired: names of scripts that a file has run by a tool, without being asked for.
        storages: by the name of a pickle, the torch storages it refers to and their bytes.
        claims: bytes of other files that are numbers of tensors in this one.
        unknown: regions of no known format, by name, and their bytes.
        namespaces: by the name of an archive, the prefix of the globals that its own code defines.
        streams: pickles in it.
        bytes: of the file.
    """

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    documents: list[dict[str, JSON]] = field(default_factory=list)
    globals: set[str] = field(default_factory=set)
    imported: list[tuple[str, str]] = field(default_factory=list)
    wired: list[str] = field(default_factory=list)
    storages: dict[str, dict[str, int]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    streams: int = 0
    bytes: int = 0

    def skip(self, blob: Blob, reason: str, remedy: str) -> None:
        """Something was not examined."""
        self.skipped.append(Skipped(blob.name, reason, remedy))

    def rename(self, blob: Blob, found: str) -> None:
        """`blob` turned out to be of a more special format."""
        for document in self.documents:
            if document["file"] == blob.name:
                document["format"] = found
