"""What the tests of `artifact.signature` start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.local_sigstore import LocalSigstore, Signed, made
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


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    """A running instance, and a bundle over the files of `model` that it helped to make."""
    pytest.importorskip("model_signing")
    with LocalSigstore() as instance:
        yield made(instance, tmp_path_factory.mktemp("sigstore"))


@pytest.fixture
def stranger() -> Iterator[LocalSigstore]:
    """Another instance, which nobody trusts yet."""
    with LocalSigstore() as instance:
        yield instance
