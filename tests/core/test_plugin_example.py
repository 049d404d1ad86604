"""The example plug-in of CONTRIBUTING.md: a package of its own, found and run like a built-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "plugin_example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling builds the example package")
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, folder / "source")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    done = subprocess.run(
        [*command, "--target", str(folder / "site"), str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def assay(installed: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from assay.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_plugin_finds_what_it_looks_for_and_spares_its_twin(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"w")
    bad = assay(installed, "check", "example.licence", tmp_path, "-f", "json")
    assert bad.returncode == 1, bad.stderr
    assert json.loads(bad.stdout)["reports"][0]["findings"][0]["rule"] == "licence/missing"
    (tmp_path / "LICENSE").write_text("Apache-2.0")
    assert assay(installed, "check", "example.licence", tmp_path).returncode == 0


def test_its_options_are_validated_like_those_of_a_built_in(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "COPYING").write_text("GPL")
    named = assay(installed, "check", "example.licence", tmp_path, "--option", "files=[COPYING]")
    assert named.returncode == 0, named.stdout + named.stderr
    wrong = assay(installed, "check", "example.licence", tmp_path, "--option", "file=[COPYING]")
    assert wrong.returncode == 2
    assert "unknown option 'file'" in wrong.stdout


def test_its_rules_are_shown(installed: Path) -> None:
    assert "licence/missing" in assay(installed, "check", "example.licence", "--rules").stdout


def test_it_is_not_there_when_it_is_not_installed() -> None:
    from assay.core.check import check_names  # noqa: PLC0415

    assert "example.licence" not in check_names()
