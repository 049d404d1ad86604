"""The same release path with MLflow as the registry, on its SQL store."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.release import Decision
from assay.pipeline.journal import Journal
from assay.pipeline.promotion import roll_back
from assay.pipeline.release import open_project_registry, run_release
from fixtures.projects import make_project, retrain

pytest.importorskip("mlflow", reason="mlflow is not installed")
# MLflow's own deprecations are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore")]


def test_release_fine_tune_and_rollback_move_the_mlflow_alias(tmp_path: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    project = make_project(tmp_path / "project", f'registry: {{kind: mlflow, uri: "{uri}"}}\n')
    first = run_release(project)
    assert first.decided.final.decision is Decision.PASS, first.decided.final.reasons
    retrain(project)
    second = run_release(project)
    assert second.decided.final.decision is Decision.PASS, second.decided.final.reasons
    assert second.reports["model.weights-diff"].metrics["compared"] is True
    client = MlflowClient(uri, uri)
    assert str(client.get_model_version_by_alias("bot", "champion").version) == "2"
    journal = Journal.of_project(project)
    done = roll_back(project, journal, open_project_registry(project), alias="champion", reason="drill")
    assert done.move.version == "1"
    assert str(client.get_model_version_by_alias("bot", "champion").version) == "1"
    tags = client.get_model_version("bot", "1").tags
    assert second.candidate.digest not in tags.values()
    assert first.candidate.digest in tags.values()
