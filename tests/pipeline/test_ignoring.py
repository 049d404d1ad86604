"""The ignore file through a whole release: what is set aside stays proven, and stands for a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.core.errors import ConfigError
from assay.core.release import Decision
from assay.pipeline.approval import approve_release
from assay.pipeline.ignoring import load_ignore_file
from assay.pipeline.project import LoadedProject
from assay.pipeline.release import conclude_release, run_release
from fixtures.projects import make_project

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()
ACME = b"\x80\x02cacme.layers\nDense\n)R."  # imports what is on no list


@pytest.fixture
def project(tmp_path: Path) -> LoadedProject:
    made = make_project(tmp_path / "project")
    (made.root / "model" / "layer.pkl").write_bytes(ACME)
    return made


def ignore(project: LoadedProject, expires: object = TOMORROW, rule: str = "pickle/unknown-global") -> None:
    (project.root / "assay-ignore.yaml").write_text(
        f"version: 1\nignore:\n- {{rule: {rule}, path: layer.pkl, expires: {expires},"
        " reason: ours and reviewed in the open}\n"
    )


def later(days: int) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(days=days)


def ids(project: LoadedProject, **arguments: object) -> tuple[Decision, set[str]]:
    released = run_release(project, **arguments)  # type: ignore[arg-type]
    return released.decided.final.decision, {reason.id for reason in released.decided.final.reasons}


def test_a_severe_finding_that_is_ignored_needs_a_second_pair_of_eyes(project: LoadedProject) -> None:
    assert ids(project) == (Decision.FAIL, {"check-failed"})
    ignore(project)
    assert ids(project) == (Decision.HOLD, {"ignored-severe"})
    approve_release(project, reason="the layer is ours, seen with Kim", approver="Ada")
    released = run_release(project)
    assert released.decided.final.decision is Decision.PASS
    (item,) = released.reports["artifact.scan"].ignored
    assert (item.finding.location.path, item.reason) == ("layer.pkl", "ours and reviewed in the open")


def test_what_is_no_longer_ignored_counts_again(project: LoadedProject) -> None:
    ignore(project)
    run_release(project)
    (project.root / "assay-ignore.yaml").unlink()
    decided = conclude_release(project).decided.final
    assert (decided.decision, {r.id for r in decided.reasons}) == (
        Decision.FAIL,
        {"options-changed", "ignored-severe"},
    )


def test_an_entry_that_runs_out_after_the_run_refuses_the_release(project: LoadedProject) -> None:
    ignore(project)
    run_release(project)
    decided = conclude_release(project, clock=later(2)).decided.final
    assert "ignore-expired" in {reason.id for reason in decided.reasons}
    assert ids(project, clock=later(2)) == (Decision.FAIL, {"check-failed"})


def test_an_ignore_file_inside_of_what_is_released_is_refused(tmp_path: Path) -> None:
    made = make_project(tmp_path / "project", config="version: 1\nmodel: {name: bot, path: .}\n"
                        "signing: {key: ../signing.pem}\nledger: {uri: ../ledger.db}\n"
                        "registry: {uri: ../registry}\n")  # fmt: skip
    ignore(made)
    with pytest.raises(ConfigError, match="part of the release"):
        run_release(made)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ignore: [{rule: a/b, expires: 2030-01-01}]", "ignore.0.reason"),
        ("ignore: [{rule: a/b, reason: long enough a reason}]", "ignore.0.expires"),
        ("ignore: [{expires: 2030-01-01, reason: long enough a reason}]", "must name a rule"),
        ("ignore: [{rule: '*', expires: 2030-01-01, reason: long enough a reason}]", "must name a rule"),
        ("ignore: [{rle: a/b, expires: 2030-01-01, reason: long enough a reason}]", "ignore.0.rle"),
        ("ignore: [{rule: a/b, expires: soon, reason: long enough a reason}]", "ignore.0.expires"),
        ("- rule", "valid dictionary"),
        ("ignore: {", "not valid YAML"),
    ],
)
def test_a_wrong_entry_is_an_error(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "assay-ignore.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_ignore_file(file)
    assert told in str(raised.value)
