"""What every scanner is shown: an attack or its benign twin, in a folder of its own."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests"
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))  # the fixtures are those of the tests


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to scan.

    Attributes:
        group: the class of the attack, a row of the table.
        name: what it is called within its class.
        files: name to bytes; a scanner is given the file where there is one, else the folder.
        attack: whether it is one; else it is ordinary and must not be flagged.
    """

    group: str
    name: str
    files: Mapping[str, bytes]
    attack: bool

    @property
    def key(self) -> str:
        """Names the case among all others."""
        return f"{self.group}/{'attack' if self.attack else 'benign'}/{self.name}"

    @property
    def digest(self) -> str:
        """Names what a scanner is shown: file names and bytes."""
        hashed = hashlib.sha256()
        for name, content in self.files.items():
            hashed.update(b"%s %d " % (name.encode(), len(content)) + content)
        return hashed.hexdigest()

    def write(self, folder: Path) -> Path:
        """Write the files below `folder`; what to scan."""
        # Two levels deep: modelaudit walks the folder above what it is given.
        place = folder / self.key.replace("/", "__").replace(" ", "-") / "model"
        place.mkdir(parents=True)
        for name, content in self.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        return place / next(iter(self.files)) if len(self.files) == 1 else place


def cases(group: str, file: str, contents: Mapping[str, bytes | str], *, attack: bool) -> Iterable[Case]:
    """A case for each content, all in a file of the same name."""
    for name, content in contents.items():
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        yield Case(group, name, {file: raw}, attack)
