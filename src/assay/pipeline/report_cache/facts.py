"""What the file system says of a subject besides its bytes.

`artifact.scan` judges more than bytes: marks of executables, links, hard links. And bytes may change between
hashing and scanning. Both are seen in one walk.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from assay.core.digest import IGNORED, MAX_FILES
from assay.core.git_storage import is_list, is_store


@dataclass(frozen=True, slots=True)
class Facts:
    """What one walk saw.

    Attributes:
        stamp: differs once any file or folder was written, moved or replaced (by the time of change, which
            cannot be set back).
        layout: digest over names, kinds, marks and links: what of them a scan judges, wherever it lies; and
            over the change of what the subject's digest leaves out.
        size: bytes of all files.
        identity: for a single file: what it is known again by before it is hashed; "" for a folder.
    """

    stamp: str
    layout: str
    size: int
    identity: str = ""


def facts_of(path: Path) -> Facts | None:
    """What there is to know of `path` without reading it; None where it cannot be told, or is too much."""
    try:
        walk = _Walk(path)
        walk.run()
        state = path.stat()
    except OSError:
        return None
    if walk.count > MAX_FILES:
        return None
    seen = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    single = stat.S_ISREG(state.st_mode)
    return Facts(
        walk.stamp.hexdigest(),
        walk.layout.hexdigest(),
        walk.size,
        hashlib.sha256(repr(seen).encode()).hexdigest() if single else "",
    )


class _Walk:
    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.stamp, self.layout = hashlib.sha256(), hashlib.sha256()
        self.size = self.count = 0

    def run(self) -> None:
        """Walk all of it, in an order of its own making.

        Raises:
            OSError: something went away or cannot be listed.
        """
        top = self.root.lstat()
        if not stat.S_ISDIR(self.root.stat().st_mode):
            self._add(self.root.name, str(self.root), top)
            return
        self._add(".", str(self.root), top)
        pending = [""]
        while pending and self.count <= MAX_FILES:
            prefix = pending.pop()
            with os.scandir(self.root / prefix) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
            for entry in listed:
                name = prefix + entry.name
                parts = name.split("/")
                folder = entry.is_dir(follow_symlinks=False)
                if is_store(parts) if folder else is_list(Path(entry.path), parts):
                    continue
                self._add(name, entry.path, entry.stat(follow_symlinks=False))
                if folder:
                    pending.append(f"{name}/")

    def _add(self, name: str, path: str, state: os.stat_result) -> None:
        self.count += 1
        target = ""
        if stat.S_ISLNK(state.st_mode):
            # Where a link leads is judged by the place that it leads to and that it lies in.
            target = f"{os.path.realpath(path)} from {self.root.resolve()}"
            self._stamp(name, os.stat(path))  # noqa: PTH116  a string at hand
            self.size += os.stat(path).st_size  # noqa: PTH116
        elif stat.S_ISREG(state.st_mode):
            self.size += state.st_size
        self._stamp(name, state)
        if not stat.S_ISDIR(state.st_mode):
            mode = stat.S_IFMT(state.st_mode) | state.st_mode & 0o111
            facts: tuple[object, ...] = (name, mode, state.st_nlink, target)
            if name.split("/", 1)[0] in IGNORED:
                # Its bytes are examined, but in no digest: any change to it makes another layout.
                facts = (*facts, state.st_dev, state.st_ino, state.st_size, state.st_ctime_ns)
            self.layout.update(repr(facts).encode())

    def _stamp(self, name: str, state: os.stat_result) -> None:
        seen = (name, state.st_dev, state.st_ino, state.st_mode, state.st_size, state.st_ctime_ns)
        self.stamp.update(repr(seen).encode())
