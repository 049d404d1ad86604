"""Which fields the messages of each framework have: a text file for each, loaded on first use."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from assay.subjects.graphs.protobuf import Schema


@lru_cache(maxsize=8)
def schema(name: str) -> Schema:
    """The schema in `name.txt`; the head of each file says how it is written and where it is from."""
    lines = files(__name__).joinpath(f"{name}.txt").read_text("utf-8").splitlines()
    return {
        kind: {int(number): what for number, what in (item.split("=") for item in items.split())}
        for kind, items in (line.split(":", 1) for line in lines if line and not line.startswith("#"))
    }
