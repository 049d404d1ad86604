"""The extra `signing` brings whatever the packages that it names import; one of them declares too little."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
# Its own extras, for tokens and tracing.
OPTIONAL = {"PyKCS11", "opentelemetry"}

pytest.importorskip("model_signing")


def extra(name: str) -> list[str]:
    with PROJECT.open("rb") as file:
        listed = tomllib.load(file)["project"]["optional-dependencies"][name]
    return [str(requirement) for requirement in listed]


def brought(requirements: Iterable[str]) -> set[str]:
    """The distributions that come with these requirements, theirs included."""
    found: set[str] = set()
    pending = [Requirement(text) for text in requirements]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in found:
            found.add(name)
            pending += [Requirement(text) for text in requires(name) or ()]
    return found


def imported(package: str) -> Iterator[tuple[str, str]]:
    """Module and file of every import from elsewhere in a package's sources."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    for file in Path(spec.submodule_search_locations[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names | OPTIONAL | {package}:
                    yield top, file.name


def lacking(requirements: Iterable[str]) -> set[str]:
    """What model-signing imports and these requirements do not bring."""
    there, known = brought(requirements), packages_distributions()
    return {
        top
        for top, _ in imported("model_signing")
        if not there & {canonicalize_name(name) for name in known.get(top, ())}
    }


def test_the_extra_brings_all_that_the_package_imports() -> None:
    assert lacking(extra("signing")) == set()


def test_without_our_help_pyopenssl_would_be_missing() -> None:
    """Once this fails the package declares what it imports, and the extra need not."""
    assert "OpenSSL" in lacking(["model-signing"])


def test_we_import_nothing_of_the_extra_that_it_does_not_name() -> None:
    assert {"sigstore", "model-signing", "pyopenssl"} <= {
        canonicalize_name(Requirement(text).name) for text in extra("signing")
    }
