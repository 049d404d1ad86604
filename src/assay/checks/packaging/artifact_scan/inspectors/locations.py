"""Paths that model files name: which of them lead out of the model's folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.core.digest import IGNORED
from assay.core.git_storage import is_stored

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:", re.ASCII)


def misplaced(blob: Blob, path: str) -> str:
    """As `trouble`, and what is wrong with the place that a path in `blob` leads to inside of the folder."""
    if wrong := trouble(path):
        return wrong
    there = blob.beside(path)
    if is_stored(there):
        return "leads into git's own storage, which no scan looks at"
    return "leads to what no signature covers" if there.split("/", 1)[0] in IGNORED else ""


def trouble(path: str) -> str:
    """What is wrong with a relative path, as the end of the sentence "the path …"; "" where nothing is."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if any(ord(character) < ord(" ") for character in path):
        return "holds control characters"
    if _URL.match(path):
        return "is a URL"
    if path.startswith(("/", "\\")) or _DRIVE.match(path):
        return "is absolute"
    if ".." in parts:
        return "climbs out of its folder"
    if path.startswith("~"):
        return "leads to a home folder"
    return "uses backslashes, which are folders on Windows only" if "\\" in path else ""
