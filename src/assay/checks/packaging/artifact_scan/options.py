"""The options of `artifact.scan`."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class ArtifactScanOptions:
    """Options of `artifact.scan`.

    Attributes:
        fail_on: the least severity that makes the report `fail`.
        allow: globals beyond the shipped lists, full name to the reason why they are safe here.
        max_depth: how many archives deep to look.
        max_members: members in one archive.
        max_unpacked: bytes unpacked in the whole scan.
        max_ratio: unpacked to packed bytes of one member.
        max_text: bytes of a text file that are examined.
        memory: bytes one reading process may take.
        seconds: time one file's pickles may take.
    """

    fail_on: Severity = Severity.MEDIUM
    allow: dict[str, str] = field(default_factory=dict)
    max_depth: int = 8
    max_members: int = 100_000
    max_unpacked: int = 16 << 30
    max_ratio: int = 1_100
    max_text: int = 64 << 20
    memory: int = 4 << 30
    seconds: int = 120
