"""What the tests of `artifact.signature` start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.signed_models import write
from fixtures.signers import KeyFiles, key_files


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own key must not be touched."""
    path = tmp_path / "own" / "signing.pem"
    monkeypatch.setenv("ASSAY_KEY", str(path))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write(tmp_path / "model")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    return key_files(tmp_path / "keys")
