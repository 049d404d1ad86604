"""Ways around the release path, each tried once and refused: named for what the attacker does."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from assay.core.check import Check, CheckInfo, Context, NoOptions, Progress, Role, Stage
from assay.core.errors import AssayError, ConflictError, GateError, RegistryError, TamperError
from assay.core.finding import Rule, Severity
from assay.core.release import Decision
from assay.core.report import Report, Status
from assay.core.subject import Subject, SubjectKind
from assay.ledger import EntryKind
from assay.pipeline.execution import SilentWatcher
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject, load_project
from assay.pipeline.promotion import promote, recover, roll_back
from assay.pipeline.proof import prove
from assay.pipeline.release import conclude_release, open_project_registry, run_release
from assay.pipeline.runner import Task, run_task
from fixtures.projects import CONFIG, make_project, retrain, write_model

PAYLOAD = b"cposix\nsystem\n(S'touch tripwire'\ntR."


@pytest.fixture
def project(tmp_path: Path) -> LoadedProject:
    return make_project(tmp_path / "project")


def champion(project: LoadedProject) -> str | None:
    version = open_project_registry(project).get_alias("bot", "champion")
    return version.version if version else None


def rewrite(project: LoadedProject, text: str) -> LoadedProject:
    (project.root / "assay.yaml").write_text(text, encoding="utf-8")
    return load_project(project.root)


def test_a_declaration_that_was_taken_back_waives_nothing(project: LoadedProject) -> None:
    declared = CONFIG.replace(
        "not_applicable:\n", 'not_applicable:\n  data.poisoning: {reason: "we never train here"}\n'
    )
    run_release(rewrite(project, declared), promote_it=False)
    project = rewrite(project, CONFIG)
    (project.root / "data.jsonl").write_text('{"text": "one"}\n{broken\n')
    released = run_release(project)
    assert released.reports["data.poisoning"].status is not Status.PASS
    assert released.decided.final.decision is Decision.FAIL


def test_a_verdict_made_against_another_champion_promotes_nothing(project: LoadedProject) -> None:
    run_release(project)
    retrain(project, seed=1)
    mine = run_release(project, promote_it=False)
    retrain(project, seed=2)
    theirs = run_release(project)
    assert theirs.move is not None
    retrain(project, seed=1)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    with pytest.raises(ConflictError, match="judged against version 1, but 2 is live now"):
        promote(journal, registry, mine.candidate, mine.decided.final, alias="champion", judged_against="1")
    assert champion(project) == "2"


def seed_version(project: LoadedProject, number: str, candidate: str, model: str) -> None:
    """Put other bytes into the registry by hand, under the candidate that passed."""
    versions = project.root / ".assay" / "registry" / "bot" / "versions"
    evil = write_model(versions / number / "content", change=3.0)
    record = json.loads((versions / "1" / "version.json").read_text())
    record |= {"version": number, "candidate": candidate}
    record["digest"] = model or Subject.from_path(evil).sha256
    (versions / number / "version.json").write_text(json.dumps(record))


@pytest.mark.parametrize("honest_record", [True, False])
def test_a_version_planted_in_the_registry_is_not_promoted(
    project: LoadedProject, *, honest_record: bool
) -> None:
    run_release(project)
    retrain(project)
    passed = run_release(project, promote_it=False)
    claimed = "" if honest_record else passed.candidate.subjects["model"].sha256
    seed_version(project, "7", passed.candidate.digest, claimed)
    with pytest.raises((TamperError, RegistryError)):
        conclude_release(project)
    assert champion(project) == "1"


def test_a_rollback_does_not_go_to_bytes_whose_record_was_rewritten_too(project: LoadedProject) -> None:
    run_release(project)
    retrain(project)
    run_release(project)
    seed_version(project, "1", _candidate(project, "1"), "")
    registry, journal = open_project_registry(project), Journal.of_project(project)
    with pytest.raises(GateError, match="not the model that was judged"):
        roll_back(project, journal, registry, alias="champion", reason="drill")
    assert champion(project) == "2"


def _candidate(project: LoadedProject, version: str) -> str:
    versions = open_project_registry(project).versions("bot")
    return next(v.candidate for v in versions if v.version == version)


def test_forgetting_the_champion_does_not_make_a_first_release(project: LoadedProject) -> None:
    run_release(project)
    (alias,) = (project.root / ".assay" / "registry" / "bot" / "aliases").glob("champion*")
    alias.unlink()
    write_model(project.root / "model", change=50.0)
    with pytest.raises(RegistryError, match="the last move in the ledger put it at 1"):
        run_release(project)
    assert champion(project) is None


def test_swapping_the_folder_around_each_check_is_seen(project: LoadedProject) -> None:
    model, honest = project.root / "model", project.root / "honest"
    shutil.copytree(model, honest)
    (model / "extra.pkl").write_bytes(PAYLOAD)

    class Swapping(SilentWatcher):
        """The honest folder is in place while checks run, the other one before and after."""

        def started(self, check: Check) -> Progress:
            model.rename(project.root / "aside")
            honest.rename(model)
            return super().started(check)

        def finished(self, report: Report, index: int) -> None:  # noqa: ARG002
            model.rename(honest)
            (project.root / "aside").rename(model)

    released = run_release(project, watcher=Swapping())
    assert released.decided.final.decision is Decision.FAIL
    assert champion(project) is None


def test_logging_an_old_pass_again_does_not_hide_a_failure(project: LoadedProject) -> None:
    first = run_release(project, promote_it=False)
    journal = Journal.of_project(project)
    index = first.entries["data.poisoning"]
    old = journal.ledger.get(index).envelope
    strict = CONFIG + "  data.poisoning: {min_rows: 100000}\n"
    worse = run_release(rewrite(project, strict), promote_it=False)
    assert worse.reports["data.poisoning"].status is not Status.PASS
    journal.ledger.append(EntryKind.EVIDENCE, old)
    newest = journal.evidence(first.candidate.digest)["data.poisoning"]
    assert newest.value.report.status is not Status.PASS


def test_logging_an_old_intent_again_does_not_move_the_alias(project: LoadedProject) -> None:
    run_release(project)
    retrain(project)
    run_release(project)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    kind, intent = journal.intents()[-1]
    old = journal.ledger.get(intent.index).envelope
    roll_back(project, journal, registry, alias="champion", reason="found to be bad")
    journal.ledger.append(kind, old)
    (outcome,) = recover(journal, registry, "bot", "champion")
    assert outcome.outcome == "abandoned"
    assert champion(project) == "1"


def test_promoting_again_what_was_rolled_back_needs_a_new_run(project: LoadedProject) -> None:
    run_release(project)
    retrain(project)
    run_release(project)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    roll_back(project, journal, registry, alias="champion", reason="found to be bad")
    with pytest.raises(GateError, match="was rolled back from"):
        conclude_release(project)
    assert champion(project) == "1"


def test_a_row_taken_out_of_the_ledger_is_seen_by_prove(project: LoadedProject) -> None:
    released = run_release(project)
    digest = released.candidate.subjects["model"].sha256
    journal = Journal.of_project(project)
    proof = prove(journal, digest)
    assert {"data.poisoning", "supply.sbom", "verdict"} <= {entry.what for entry in proof.entries}
    journal.close()
    connection = sqlite3.connect(project.root / ".assay" / "ledger.db")
    with connection:
        connection.execute("DELETE FROM entries WHERE kind = 'verdict'")
    connection.close()
    with pytest.raises(TamperError):
        Journal.of_project(project)
    journal = Journal.of_project(project, intact=False)
    assert not journal.ledger.verify(journal.keyring).sound


@dataclass(frozen=True)
class Misbehaving:
    """A third-party check that does what it should not."""

    action: str
    info: ClassVar[CheckInfo] = CheckInfo(
        "x.y", "x", Stage.PACKAGING, Role.MODEL, (SubjectKind.FOLDER,), "1",
        (Rule("x/y", "x", Severity.LOW, "x", "x"),), NoOptions,
    )  # fmt: skip

    def run(self, subject: Subject, context: Context) -> Report:  # noqa: ARG002
        if self.action == "exit":
            raise SystemExit(0)
        if self.action == "none":
            return None  # type: ignore[return-value]
        if self.action == "text":
            return Report("x.y", subject, "pass")  # type: ignore[arg-type]
        return Report("x.y", Subject(subject.kind, "other", {"sha256": "0" * 64}, "/"), Status.PASS)


@pytest.mark.parametrize("action", ["exit", "none", "text", "other"])
def test_a_check_that_misbehaves_is_an_error_not_a_pass(project: LoadedProject, action: str) -> None:
    subject = Subject.from_path(project.root / "model")
    report = run_task(Task(Misbehaving(action), subject)).report
    assert report.status is Status.ERROR
    assert report.message


def test_the_bytes_in_the_registry_are_what_is_proven(project: LoadedProject) -> None:
    from assay.cli.prove import _digest  # noqa: PLC0415

    released = run_release(project)
    assert _digest("bot@champion", project) == released.candidate.subjects["model"].sha256
    stored = open_project_registry(project).resolve("bot", "1")
    stored.chmod(0o755)
    (stored / "extra.pkl").write_bytes(PAYLOAD)
    with pytest.raises(AssayError):
        _digest("bot@champion", project)
