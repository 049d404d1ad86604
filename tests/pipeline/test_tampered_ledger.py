"""A ledger from which something was taken decides nothing, however well what is left verifies."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import TamperError
from assay.core.release import Decision
from assay.pipeline.approval import approve_release
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject
from assay.pipeline.release import conclude_release, run_release
from fixtures.projects import make_project


@pytest.fixture
def refused(tmp_path: Path) -> tuple[LoadedProject, Any]:
    """A project whose candidate passed its checks once and failed them the second time."""
    project = make_project(tmp_path / "project")
    run_release(project, promote_it=False)
    (project.root / "model" / "layer.pkl").write_bytes(b"\x80\x02cacme\nLayer\n)R.")
    released = run_release(project)
    assert released.decided.final.decision is Decision.FAIL
    return project, released


def damage(project: LoadedProject, *statements: str) -> None:
    with sqlite3.connect(project.root / ".assay" / "ledger.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


LAST = "(SELECT max(\"index\") FROM entries WHERE kind = 'evidence')"
OTHER = '(SELECT envelope FROM entries WHERE "index" = 3)'
ATTACKS = {
    "the newest evidence": (f'DELETE FROM entries WHERE "index" = {LAST}',),
    "its row and its look-up": (
        f'DELETE FROM subjects WHERE "index" = {LAST}',
        f'DELETE FROM entries WHERE "index" = {LAST}',
    ),
    "the look-up alone": (f'DELETE FROM subjects WHERE "index" = {LAST}',),
    "an entry put in another's place": (f'UPDATE entries SET envelope = {OTHER} WHERE "index" = {LAST}',),
    "a stored hash": ("UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND last = 1",),
}
ACTIONS: dict[str, Callable[[LoadedProject, Any], object]] = {
    "run": lambda project, _: run_release(project),
    "promote": lambda project, _: conclude_release(project),
    "approve": lambda project, _: approve_release(project, reason="it is fine by me", approver="Ada"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_decided_on_it(attack: str, action: str, refused: tuple[LoadedProject, Any]) -> None:
    project, released = refused
    damage(project, *ATTACKS[attack])
    with pytest.raises(TamperError) as raised:
        ACTIONS[action](project, released)
    assert "Keep this file as it is" in raised.value.remedy
    with pytest.raises(TamperError):  # and so proves and rolls back nothing
        Journal.of_project(project)
    looked_into = Journal.of_project(project, intact=False)
    assert not looked_into.ledger.verify(looked_into.keyring).sound
    looked_into.close()
