"""Models to register."""

from __future__ import annotations

from pathlib import Path

import pytest


def write_model(folder: Path, text: str) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_text(text)
    (folder / "sub/config.json").write_text("{}")
    return folder


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model-one", "one")


@pytest.fixture
def other_folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model-two", "two")
