"""Patterns of local paths that the shell left alone, because they were quoted or too many for it.

`*`, `?` and `[…]` match within a part of the path, `**` any number of folders. Hidden names match too, and a
folder that cannot be listed is a problem that is told: what a pattern silently passes over would read as
clean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path

from assay.core.errors import AssayError, LimitError, SubjectError, UsageError

MAX_VISITED = 1_000_000  # files and folders looked at
_MAGIC = re.compile(r"[*?\[]")


def expand(text: str) -> tuple[list[Path], list[AssayError]]:
    """What `text` matches, sorted, and which folders on the way could not be listed.

    A path that exists by that very name is itself. A match within a folder that matches too is left out: the
    folder holds it. Links to folders are not followed by `**`.

    Raises:
        UsageError: nothing matches.
        LimitError: too much would have to be looked at.
    """
    path = Path(text)
    if os.path.lexists(path) or not _MAGIC.search(text):
        return [path], []
    walk = _Walk(text)
    found = sorted(set(walk.matches(Path(path.anchor), list(path.parts[bool(path.anchor) :]))))
    folders = {match for match in found if match.is_dir() and not match.is_symlink()}
    kept = [match for match in found if folders.isdisjoint(match.parents)]
    if not kept and not walk.problems:
        raise UsageError(
            "no file or folder matches", subject=text, remedy="Correct the pattern, or quote it."
        )
    return kept, walk.problems


class _Walk:
    """One walk along a pattern."""

    def __init__(self, pattern: str) -> None:
        self.problems: list[AssayError] = []
        self._pattern = pattern
        self._visited = 0

    def matches(self, base: Path, parts: list[str]) -> Iterator[Path]:
        """Paths below `base` that match `parts`."""
        if not parts:
            yield base
            return
        first, rest = parts[0], parts[1:]
        if first == "**":
            yield from self._anywhere(base, rest)
        elif not _MAGIC.search(first):
            if os.path.lexists(base / first):
                yield from self.matches(base / first, rest)
        else:
            fits = re.compile(translate(first)).match
            for entry in self._listed(base):
                if fits(entry.name) and (not rest or entry.is_dir()):
                    yield from self.matches(base / entry.name, rest)

    def _anywhere(self, base: Path, rest: list[str]) -> Iterator[Path]:
        pending = [base]
        while pending:
            folder = pending.pop()
            entries = self._listed(folder)
            pending += [folder / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            if rest:
                yield from self.matches(folder, rest)
            else:
                yield from (folder / entry.name for entry in entries)

    def _listed(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError as error:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                reason = (error.strerror or str(error)).lower()
                remedy = "Check its permissions; what is in it was not scanned."
                problem = SubjectError(f"cannot be listed: {reason}", subject=str(folder), remedy=remedy)
                self.problems.append(problem)
            return []
        self._visited += len(listed)
        if self._visited > MAX_VISITED:
            raise LimitError(
                f"would look at more than {MAX_VISITED:,} files and folders",
                subject=self._pattern,
                remedy="Name a folder instead.",
            )
        return listed
