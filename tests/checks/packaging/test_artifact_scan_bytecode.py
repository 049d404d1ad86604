"""Byte code beside the weights: its source's own is noted, any other is found."""

from __future__ import annotations

import os
import py_compile
import zipfile
from pathlib import Path

import pytest

from assay.core.report import Report, Status
from fixtures.scanning import scan

HONEST = (
    '"""A model."""\nimport math\n\n\nclass Model:\n    def forward(self, x):\n        return math.sqrt(x)\n'
)
EVIL = 'import os\n\nos.system("touch /tmp/tripwire")\n'
HASHED = py_compile.PycInvalidationMode.UNCHECKED_HASH
CHECKED = py_compile.PycInvalidationMode.CHECKED_HASH


def compiled(folder: Path, source: str, target: Path, mode: object = None, *, shown: str = "") -> None:
    """Compile `source`, and put `shown` in its place."""
    file = folder / "modeling.py"
    file.write_text(source)
    target.parent.mkdir(exist_ok=True)
    py_compile.compile(str(file), str(target), doraise=True, invalidation_mode=mode)  # type: ignore[arg-type]
    if shown:
        file.write_text(shown)


def judged(report: Report) -> list[tuple[str, str]]:
    return [(one.severity.value, one.message) for one in report.findings if one.rule == "repository/bytecode"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    return made


@pytest.fixture
def cached(folder: Path) -> Path:
    return folder / "__pycache__" / "modeling.cpython-311.pyc"


@pytest.mark.parametrize("mode", [None, HASHED, CHECKED])
def test_the_source_s_own_is_noted(mode: object, folder: Path, cached: Path) -> None:
    compiled(folder, HONEST, cached, mode)
    report = scan(folder)
    assert report.status is Status.PASS, report
    assert [severity for severity, _ in judged(report)] == ["info"]


@pytest.mark.parametrize("mode", [None, HASHED])
def test_another_program_under_the_name_of_a_source(mode: object, folder: Path, cached: Path) -> None:
    padded = HONEST + "#" * (len(EVIL) - len(HONEST)) if len(HONEST) < len(EVIL) else HONEST
    evil = EVIL + "#" * (len(padded) - len(EVIL))  # of the same size, as its header says
    compiled(folder, evil, cached, mode, shown=padded)
    os.utime(folder / "modeling.py", (1, 1))  # whoever unpacks it sets the time
    severity, message = judged(scan(folder))[0]
    assert severity == "high"
    assert "'os'" in message
    assert "os.system" in message


def test_a_text_alone_betrays_another_program(folder: Path, cached: Path) -> None:
    source = 'import os\n\n\ndef clean():\n    os.system("{} build")\n'
    compiled(folder, source.format("rm -r"), cached, shown=source.format("ls -l"))
    assert [severity for severity, _ in judged(scan(folder))] == ["high"]


def test_byte_code_of_another_state_of_its_source(folder: Path, cached: Path) -> None:
    compiled(folder, HONEST, cached, shown=HONEST + "\n# more\n")
    assert [severity for severity, _ in judged(scan(folder))] == ["low"]
    compiled(folder, EVIL, cached, CHECKED, shown=HONEST)
    assert [severity for severity, _ in judged(scan(folder))] == ["medium"]


def test_byte_code_without_a_source(folder: Path) -> None:
    target = folder / "modeling.pyc"
    for source, severity in ((HONEST, "medium"), (EVIL, "high")):
        compiled(folder, source, target)
        (folder / "modeling.py").unlink()
        assert [one for one, _ in judged(scan(folder))] == [severity]
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.write(target, "modeling.pyc")
    assert [one for one, _ in judged(scan(folder))] == ["high", "high"]


def test_what_hides_in_constants_and_after_the_code(folder: Path, cached: Path) -> None:
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    pickled = b"\x80\x04cos\nsystem\n\x8c\x02id\x85R."
    compiled(folder, f"KEY = '{key}'\nDATA = {pickled!r}\n", cached)
    (folder / "modeling.py").unlink()
    cached.write_bytes(cached.read_bytes() + b"cos\nsystem\n(S'id'\ntR.")
    report = scan(folder)
    rules = [finding.rule for finding in report.findings]
    assert rules.count("pickle/dangerous-global") == 2
    assert {"repository/secret", "archive/trailing-data"} <= set(rules)
    assert key not in str(report)
