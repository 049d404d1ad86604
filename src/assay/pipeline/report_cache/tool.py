"""What of the tool has a say in a scan: its own files, Python, and the libraries that read for it."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from functools import lru_cache
from pathlib import Path

import assay

# All that `artifact.scan` is made of; a test holds that it imports nothing of Assay's beside.
TREES = ("checks/packaging/artifact_scan", "core", "guard", "subjects")
_LIBRARIES = (
    "google_re2", "h5py", "lz4", "numpy", "packageurl_python", "pyahocorasick", "pyyaml", "safetensors",
    "zstandard",
)  # fmt: skip


@lru_cache(maxsize=1)
def tool_digest() -> str:
    """SHA-256 over every file of Assay's that has a say in a scan: code, rules, lists."""
    root = Path(assay.__file__).parent
    digest = hashlib.sha256(assay.__version__.encode())
    for tree in TREES:
        for name in _files(root / tree):
            content = (root / tree / name).read_bytes()
            digest.update(repr((tree, name, hashlib.sha256(content).hexdigest())).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def environment() -> str:
    """Python, the machine, and the versions of the libraries, as installed now."""
    found = set()
    for folder in {path for path in sys.path if path.endswith("-packages")}:
        with os.scandir(folder) as entries:
            found |= {entry.name.lower().replace("-", "_") for entry in entries if _is_record(entry.name)}
    known = sorted(name for name in found if name.startswith(_LIBRARIES))
    return f"{sys.version} {platform.machine()} {sys.platform} {' '.join(known)}"


def _is_record(name: str) -> bool:
    return name.endswith((".dist-info", ".egg-info"))


def _files(folder: Path) -> list[str]:
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [Path(here, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)
