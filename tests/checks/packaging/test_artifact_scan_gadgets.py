"""Every known gadget is critical, however harmless its module looks; words that read like one are not.

`pytest --collect-only` lists them by kind: aliases of os, private twins, wrappers, parts of libraries,
installers, submodules, resolvers, builders of code, loaders of more, effects on files or the network
alone, planting a module, tampering with the scanner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from assay.core.finding import Finding, Severity
from assay.core.report import Report, Status
from fixtures.gadget_attacks import gadgets, look_alikes
from fixtures.scanning import scan

NAMES = sorted(gadgets())


def _scanned(folder: Path, files: Mapping[str, bytes]) -> tuple[Report, dict[str, list[Finding]]]:
    """The report on all files, and the findings of each by its name."""
    for number, content in enumerate(files.values()):
        (folder / f"{number}.pkl").write_bytes(content)
    report = scan(folder)
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    names = list(files)
    for finding in report.findings:
        found[names[int(finding.location.path.removesuffix(".pkl"))]].append(finding)
    return report, found


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Iterable[Finding]]:
    return _scanned(tmp_path_factory.mktemp("gadgets"), gadgets())[1]


@pytest.mark.parametrize("name", NAMES)
def test_gadget_is_critical(name: str, attacked: Mapping[str, Iterable[Finding]]) -> None:
    assert Severity.CRITICAL in {finding.severity for finding in attacked[name]}


def test_words_that_read_like_a_gadget_pass(tmp_path: Path) -> None:
    report, found = _scanned(tmp_path, look_alikes())
    assert found == {}
    assert report.status is Status.PASS
    assert report.coverage.examined == len(NAMES)
