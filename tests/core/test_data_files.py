"""Assay's own YAML: read as it stands, whatever the cache says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import assay
from assay.core.data_files import read_data
from assay.core.errors import ConfigError

OWN = sorted(Path(assay.__file__).parent.rglob("*.yaml"))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_every_data_file_reads_as_its_yaml_says(path: Path) -> None:
    import yaml  # noqa: PLC0415

    expected = yaml.safe_load(path.read_text("utf-8"))
    assert read_data(path) == expected
    assert read_data(path) == expected  # from the cache, where one could be written


@pytest.fixture
def writes_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


@pytest.mark.usefixtures("writes_bytecode")
def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- one\n")
    assert read_data(path) == ["one"]
    assert list((tmp_path / "__pycache__").iterdir())
    path.write_text("- two\n- three\n")
    assert read_data(path) == ["two", "three"]


@pytest.mark.usefixtures("writes_bytecode")
def test_a_cached_form_is_used_while_size_and_time_stand(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- one\n")
    read_data(path)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_text("- 0ne\n")
    os.utime(path, ns=times)
    assert read_data(path) == ["one"]


@pytest.mark.usefixtures("writes_bytecode")
def test_a_module_of_the_same_name_has_a_cache_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("[1]\n")
    read_data(tmp_path / "rules.yaml")
    assert [file.name.split(".cpython")[0] for file in (tmp_path / "__pycache__").iterdir()] == ["rules.yaml"]


@pytest.mark.parametrize(
    "text", ["a: [", "when: 2026-01-01", "much: .inf", "!!python/object/apply:os.getcwd []"], ids=repr
)
def test_what_is_no_plain_data_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"rules\.yaml"):
        read_data(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml.*Reinstall|none\.yaml"):
        read_data(tmp_path / "none.yaml")
