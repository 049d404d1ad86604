"""Paths that model files name: which of them lead out of the model's folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:", re.ASCII)


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
