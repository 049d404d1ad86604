"""Ways in which Python beside the weights hides what it does: each is seen, its twin is not, none runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.checks.packaging.artifact_scan import ArtifactScan
from assay.core.check import Context
from assay.core.finding import Finding, Severity
from assay.core.subject import Subject
from fixtures import python_by_syntax
from fixtures.baits import touching
from fixtures.python_evasions import FLAGS, FOLDERS, PATHS, RESOLVERS
from fixtures.python_holders import HOLDERS

_BY_VALUE = {"paths": PATHS, "holders": HOLDERS, "resolvers": RESOLVERS, "folders": FOLDERS, "flags": FLAGS}
_MEDIUM = ("folders", "flags")
_HARMLESS = "len('x')"


def _sources(command: str) -> tuple[dict[str, str], dict[str, str]]:
    """Attacks and twins, by name."""
    call = f"os.system({command!r})"
    attacks, twins = {}, {}
    for kind, several in _BY_VALUE.items():
        for name, (attack, twin) in several.items():
            attacks[f"{kind}/{name}"] = attack.replace("COMMAND", repr(command))
            twins[f"{kind}/{name}"] = twin.replace("COMMAND", repr(command))
    for name, text in python_by_syntax.sources().items():
        attacks[f"syntax/{name}"] = text.replace("RUN", call)
        twins[f"syntax/{name}"] = text.replace("RUN", _HARMLESS)
    for name, text in python_by_syntax.unused().items():
        twins[f"unused/{name}"] = text.replace("RUN", call)
    return attacks, twins


_ATTACKS, _TWINS = _sources("id")


def _file(name: str) -> str:
    return f"modeling_{name.replace('/', '_').replace('-', '_')}.py"


def _scan(folder: Path, sources: dict[str, str]) -> dict[str, list[Finding]]:
    """The findings in each of many sources, which lie in one folder."""
    (folder / "model").mkdir()
    (folder / "workspace").mkdir()
    for name, text in sources.items():
        (folder / "model" / _file(name)).write_text(text + "\n")
    report = ArtifactScan().run(Subject.from_path(folder / "model"), Context(workspace=folder / "workspace"))
    assert not report.coverage.skipped
    found: dict[str, list[Finding]] = {_file(name): [] for name in sources}
    for finding in report.findings:
        found[Path(finding.location.path).name].append(finding)
    return found


@pytest.fixture(scope="module")
def tripwire(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tripwire") / "touched"


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory, tripwire: Path) -> dict[str, list[Finding]]:
    return _scan(tmp_path_factory.mktemp("attacks"), _sources(touching(tripwire).command)[0])


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _scan(tmp_path_factory.mktemp("twins"), _TWINS)


@pytest.mark.parametrize("name", sorted(_ATTACKS))
def test_evasion_is_seen_and_does_not_run(
    name: str, attacks: dict[str, list[Finding]], tripwire: Path
) -> None:
    least = Severity.MEDIUM if name.startswith(_MEDIUM) else Severity.HIGH
    found = attacks[_file(name)]
    assert any(one.rule.startswith("python/") and one.severity.at_least(least) for one in found), found
    assert not tripwire.exists()


@pytest.mark.parametrize("name", sorted(_TWINS))
def test_twin_passes(name: str, twins: dict[str, list[Finding]]) -> None:
    # What runs only once an object is used is medium, as it is for any class.
    worst = Severity.HIGH if name.startswith("unused") else Severity.MEDIUM
    assert not [one for one in twins[_file(name)] if one.severity.at_least(worst)]
