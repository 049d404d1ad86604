from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.core.evidence import REPORT, statement
from assay.ledger import Keyring, Ledger, SigningKey, sign

Make = Callable[..., bytes]


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def ring(key: SigningKey) -> Keyring:
    return Keyring.of(key)


@pytest.fixture
def make(key: SigningKey) -> Make:
    """Makes a signed report envelope about subject `digest` of candidate `candidate`."""

    def build(
        digest: str = "a" * 64,
        *,
        candidate: str = "",
        predicate_type: str = REPORT,
        signer: SigningKey = key,
        **predicate: Any,
    ) -> bytes:
        subject: dict[str, Any] = {"name": "model", "digest": {"sha256": digest}}
        body = {"execution": {"candidate": candidate}, **predicate}
        return sign(statement([subject], predicate_type, body), signer)

    return build


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db", clock=Ticking()) as opened:
        yield opened


class Ticking:
    """A clock that is a second later each time it is read."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now
