"""`pyproject.toml`: what it says of where packages come from, each as a line of requirements.

Sources: PEP 518, 621, 735; the documentation of uv (`index`, `sources`), Poetry (`source`, `dependencies`),
PDM (`source`), Hatch (`envs`) and pixi (`pypi-options`, `channels`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from assay.checks.packaging.artifact_scan.documents.walk import values

MAX_TEXT = 1 << 20  # characters
# Wholly lists of requirements, by their path.
_LISTS = (
    ("build-system", "requires"), ("project", "dependencies"), ("project", "optional-dependencies"),
    ("dependency-groups",),
)  # fmt: skip
_TOOLS = frozenset({"uv", "poetry", "pdm", "hatch", "pixi", "rye", "conda-lock", "pip-tools"})
_REQUIREMENTS = frozenset({"dependencies", "dev-dependencies", "extra-dependencies", "requires"})
_INDEXES = frozenset({
    "url", "index", "index-url", "extra-index-url", "extra-index-urls", "default-index", "find-links",
    "channels",
})  # fmt: skip


def requirements(text: str) -> Iterator[tuple[int, str]] | None:
    """Every requirement, index and repository with the line it first stands in; None where it is no TOML."""
    if len(text) > MAX_TEXT:
        return None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None  # newer TOML may be read by other tools
    return ((_line(text, named), line) for named, line in dict.fromkeys(_named(document)))


def _named(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is named, and the line of requirements that would say so."""
    for path in _LISTS:
        part: Any = document
        for key in path:
            part = part.get(key) if isinstance(part, dict) else None
        yield from ((item, item) for _, item in values(part) if isinstance(item, str))
    tools = document.get("tool")
    for name, settings in tools.items() if isinstance(tools, dict) else ():
        for key, item in values(settings) if name in _TOOLS else ():
            if not isinstance(item, str):
                continue
            if key == "git":
                yield item, f"git+{item}"
            elif key in _INDEXES:
                yield item, f"--index-url {item}"
            elif key in _REQUIREMENTS:
                yield item, item


def _line(text: str, named: str) -> int:
    return text.count("\n", 0, max(0, text.find(named))) + 1
