"""kill -9 in the middle of a promotion or rollback: afterwards ledger and registry agree."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.core.errors import UsageError
from assay.core.release import Decision
from assay.pipeline.history import release_stack
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject
from assay.pipeline.promotion import recover
from assay.pipeline.release import conclude_release, open_project_registry, run_release
from fixtures.projects import make_project, retrain

# Dies at the named step: the method of the registry or journal is replaced by one that kills its own process,
# before or after doing its work.
DIE = """
import os, signal, sys
from pathlib import Path
from assay.pipeline.journal import Journal
from assay.pipeline.project import load_project
from assay.pipeline.release import conclude_release, open_project_registry, run_release
from assay.pipeline.promotion import roll_back

root, action, owner, method, when = sys.argv[1:]
project = load_project(Path(root))
target = {"registry": type(open_project_registry(project)), "journal": Journal}[owner]
genuine = getattr(target, method)

def dying(self, *arguments, **named):
    if when == "after":
        genuine(self, *arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(target, method, dying)
if action == "release":
    run_release(project)
else:
    journal, registry = Journal.of_project(project), open_project_registry(project)
    roll_back(project, journal, registry, alias="champion", reason="drill")
"""
STEPS = [
    ("journal", "record_intent", "before", "old"),
    ("journal", "record_intent", "after", "new"),
    ("registry", "set_alias", "before", "new"),
    ("registry", "set_alias", "after", "new"),
    ("journal", "record_outcome", "before", "new"),
    ("journal", "record_outcome", "after", "new"),
]


def kill(project: LoadedProject, action: str, owner: str, method: str, when: str) -> None:
    command = [sys.executable, "-c", DIE, str(project.root), action, owner, method, when]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def assert_whole(project: LoadedProject, expected: str) -> None:
    """The alias stands where it should, the ledger says the same, and the tree verifies."""
    registry, journal = open_project_registry(project), Journal.of_project(project)
    recover(journal, registry, "bot", "champion")
    champion = registry.get_alias("bot", "champion")
    assert champion is not None
    assert champion.version == expected
    assert release_stack(journal, "bot", "champion")[-1].version == expected
    assert len(journal.outcomes()) == len(journal.intents())
    assert journal.ledger.verify(journal.keyring).sound
    journal.close()


@pytest.fixture
def released_twice(tmp_path: Path) -> LoadedProject:
    project = make_project(tmp_path / "project")
    for seed in range(2):
        retrain(project, seed=seed)
        assert run_release(project).move is not None
    return project


@pytest.mark.parametrize(("owner", "method", "when", "ends"), STEPS)
def test_a_promotion_killed_at_any_step_is_old_or_new(
    tmp_path: Path, owner: str, method: str, when: str, ends: str
) -> None:
    project = make_project(tmp_path / "project")
    assert run_release(project).move is not None
    retrain(project)
    kill(project, "release", owner, method, when)
    assert_whole(project, {"old": "1", "new": "2"}[ends])
    again = run_release(project)
    assert again.decided.final.decision is Decision.PASS, again.decided.final.reasons
    assert_whole(project, "2")


@pytest.mark.parametrize(("owner", "method", "when", "ends"), STEPS)
def test_a_rollback_killed_at_any_step_is_old_or_new(
    released_twice: LoadedProject, owner: str, method: str, when: str, ends: str
) -> None:
    kill(released_twice, "rollback", owner, method, when)
    assert_whole(released_twice, {"old": "2", "new": "1"}[ends])


@pytest.mark.filterwarnings("ignore")  # MLflow's own deprecations are not ours to mend
@pytest.mark.parametrize(("owner", "method", "when", "ends"), STEPS[1:5])
def test_a_promotion_into_mlflow_killed_at_any_step_is_finished(
    tmp_path: Path, owner: str, method: str, when: str, ends: str
) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    project = make_project(tmp_path / "project", f'registry: {{kind: mlflow, uri: "{uri}"}}\n')
    assert run_release(project).move is not None
    retrain(project)
    kill(project, "release", owner, method, when)
    assert_whole(project, {"old": "1", "new": "2"}[ends])


def test_promote_after_a_kill_says_that_it_finished_the_release(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    kill(project, "release", "registry", "set_alias", "before")
    released = conclude_release(project)
    assert released.decided.final.decision is Decision.PASS
    assert [(item.outcome, item.move) for item in released.recovered] == [("done", released.move)]
    with pytest.raises(UsageError, match="live already"):
        conclude_release(project)
