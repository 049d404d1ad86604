"""A whole release, its refusals, approvals, rollbacks and proofs, on a real ledger and registry."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.core.errors import (
    AssayError,
    ConflictError,
    GateError,
    RegistryError,
    SigningKeyError,
    TamperError,
    UsageError,
)
from assay.core.release import Decision, MoveOutcome
from assay.core.report import Status
from assay.pipeline.approval import approve_release
from assay.pipeline.decision import judge, registry_state
from assay.pipeline.history import release_stack
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject, load_project
from assay.pipeline.promotion import promote, recover, roll_back
from assay.pipeline.proof import prove
from assay.pipeline.release import conclude_release, open_project_registry, run_release
from fixtures.projects import CONFIG, make_project, retrain, sign_model, write_model


@pytest.fixture
def project(tmp_path: Path) -> LoadedProject:
    return make_project(tmp_path / "project")


def champion(project: LoadedProject) -> str | None:
    version = open_project_registry(project).get_alias("bot", "champion")
    return version.version if version else None


def later(days: int) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(days=days)


def test_a_first_release_passes_and_is_promoted(project: LoadedProject) -> None:
    released = run_release(project)
    assert released.decided.final.decision is Decision.PASS, released.decided.final.reasons
    states = {name: r.status for name, r in released.reports.items()}
    assert (
        states.pop("artifact.signature") is Status.INCOMPLETE
    )  # nobody signed it, and nobody asked for that
    names = ("artifact.scan", "data.hygiene", "data.poisoning", "model.origin", "model.weights-diff")
    assert states == dict.fromkeys((*names, "supply.sbom"), Status.PASS)
    assert released.move is not None
    assert champion(project) == released.move.version


def test_a_signed_model_is_verified_and_a_changed_one_refused(project: LoadedProject) -> None:
    sign_model(project)
    released = run_release(project)
    assert released.reports["artifact.signature"].status is Status.PASS
    assert released.decided.final.decision is Decision.PASS, released.decided.final.reasons
    (project.root / "model" / "config.json").write_text('{"model_type": "llama"}')
    refused = run_release(project)
    assert refused.decided.final.decision is Decision.FAIL
    assert [r.check for r in refused.decided.final.reasons] == ["artifact.signature"]


def test_a_stripped_signature_is_refused_where_one_is_demanded(tmp_path: Path) -> None:
    demanded = CONFIG.replace("checks:\n", "checks:\n  artifact.signature: {required: true}\n")
    project = make_project(tmp_path / "p", config=demanded)
    sign_model(project)
    assert run_release(project).decided.final.decision is Decision.PASS
    (project.root / "model" / "model.sig").unlink()
    refused = run_release(project)
    assert refused.decided.final.decision is Decision.FAIL
    assert [r.check for r in refused.decided.final.reasons] == ["artifact.signature"]


def test_a_second_release_is_compared_with_the_first(project: LoadedProject) -> None:
    first = run_release(project)
    retrain(project)
    second = run_release(project)
    assert second.decided.final.decision is Decision.PASS, second.decided.final.reasons
    diff = second.reports["model.weights-diff"]
    assert diff.metrics["compared"] is True
    assert diff.baseline is not None
    assert diff.baseline.sha256 == first.candidate.subjects["model"].sha256
    assert second.move is not None
    assert first.move is not None
    assert second.move.previous == first.move.version


def test_a_pickle_with_a_payload_is_refused_and_not_run(project: LoadedProject, tmp_path: Path) -> None:
    run_release(project)
    before = champion(project)
    tripwire = tmp_path / "tripwire"

    class Payload:
        def __reduce__(self) -> tuple[Callable[..., int], tuple[str]]:
            import os  # noqa: PLC0415

            return os.system, (f"touch {tripwire}",)

    (project.root / "model" / "extra.pkl").write_bytes(pickle.dumps(Payload()))
    released = run_release(project)
    assert released.decided.final.decision is Decision.FAIL
    assert released.reports["artifact.scan"].status is Status.FAIL
    assert released.move is None
    assert champion(project) == before
    assert not tripwire.exists()


def test_a_check_that_is_missing_is_not_a_pass(tmp_path: Path) -> None:
    config = CONFIG.replace("data: {path: data.jsonl}\n", "")
    released = run_release(make_project(tmp_path / "p", config=config))
    assert released.decided.final.decision is Decision.FAIL
    assert {"data.hygiene", "data.poisoning"} <= {r.check for r in released.decided.final.reasons}
    assert champion(load_project(tmp_path / "p")) is None


def test_running_the_same_release_again_moves_nothing(project: LoadedProject) -> None:
    first = run_release(project)
    again = run_release(project)
    assert again.decided.final.decision is Decision.PASS
    assert first.candidate.digest == again.candidate.digest
    assert len(open_project_registry(project).versions("bot")) == 1


def test_rolling_back_twice_goes_back_two_releases(project: LoadedProject) -> None:
    versions = []
    for seed in range(3):
        retrain(project, seed=seed)
        released = run_release(project)
        assert released.move is not None, released.decided.final.reasons
        versions.append(released.move.version)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    for expected in (versions[1], versions[0]):
        done = roll_back(project, journal, registry, alias="champion", reason="drill")
        assert done.move.version == expected
        assert champion(project) == expected
    with pytest.raises(RegistryError, match="there is no earlier release"):
        roll_back(project, journal, registry, alias="champion", reason="drill")
    assert [move.version for move in release_stack(journal, "bot", "champion")] == versions[:1]


def test_a_rollback_passes_over_a_release_whose_bytes_changed(project: LoadedProject) -> None:
    versions = []
    for seed in range(3):
        retrain(project, seed=seed)
        released = run_release(project)
        assert released.move is not None
        versions.append(released.move.version)
    registry = open_project_registry(project)
    damaged = registry.resolve("bot", versions[1]) / "config.json"
    damaged.chmod(0o644)
    damaged.write_text("{}")
    journal = Journal.of_project(project)
    done = roll_back(project, journal, registry, alias="champion", reason="drill")
    assert done.move.version == versions[0]
    assert [item.version for item in done.passed_over] == [versions[1]]


def test_a_rollback_to_stale_evidence_is_refused(project: LoadedProject) -> None:
    for seed in range(2):
        retrain(project, seed=seed)
        run_release(project)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    before = champion(project)
    with pytest.raises(GateError, match="no earlier release passes today's policy"):
        roll_back(project, journal, registry, alias="champion", reason="drill", clock=later(60))
    assert champion(project) == before


def test_an_interrupted_promotion_is_finished(project: LoadedProject) -> None:
    released = run_release(project, promote_it=False)
    registry, journal = open_project_registry(project), Journal.of_project(project)
    model = released.candidate.subjects["model"]
    version = registry.create_version("bot", model.path, model.sha256, released.candidate.digest, {})
    done = promote(
        journal, registry, released.candidate, released.decided.final, alias="champion", judged_against=None
    )
    assert done is not None
    # As after a crash between the intent and the alias: a second intent without an outcome.
    retrain(project)
    second = run_release(project, promote_it=False)
    part = second.candidate.subjects["model"]
    other = registry.create_version("bot", part.path, part.sha256, second.candidate.digest, {})
    move = replace(
        done,
        previous=version.version,
        version=other.version,
        candidate=second.candidate.digest,
        moved_at=datetime.now(UTC),
    )
    journal.record_intent(move, second.candidate)
    outcomes = recover(journal, registry, "bot", "champion")
    assert [outcome.outcome for outcome in outcomes] == ["done"]
    assert champion(project) == other.version
    assert recover(journal, registry, "bot", "champion") == []


def test_an_interrupted_promotion_is_abandoned_when_the_alias_moved_on(project: LoadedProject) -> None:
    first = run_release(project)
    assert first.move is not None
    registry, journal = open_project_registry(project), Journal.of_project(project)
    ghost = replace(first.move, previous="another", version="ghost", moved_at=datetime.now(UTC))
    journal.record_intent(ghost, first.candidate)
    (outcome,) = recover(journal, registry, "bot", "champion")
    assert isinstance(outcome, MoveOutcome)
    assert outcome.outcome == "abandoned"
    assert champion(project) == first.move.version


def test_two_promotions_race_and_one_is_told(project: LoadedProject) -> None:
    released = run_release(project, promote_it=False)
    registry, journal = open_project_registry(project), Journal.of_project(project)

    class Overtaken:
        """The registry, with somebody else moving the alias just before we do."""

        def __getattr__(self, name: str) -> object:
            return getattr(registry, name)

        def set_alias(self, model: str, alias: str, version: str, *, expect: str | None) -> None:
            other = write_model(project.root / "other", seed=9, change=0.5)
            made = registry.create_version(model, other, _digest(other), "f" * 64, {})
            registry.set_alias(model, alias, made.version, expect=expect)
            registry.set_alias(model, alias, version, expect=expect)

    with pytest.raises(ConflictError):
        promote(
            journal,
            Overtaken(),  # type: ignore[arg-type]
            released.candidate,
            released.decided.final,
            alias="champion",
            judged_against=None,
        )
    assert [o.outcome for o in journal.outcomes().values()] == ["abandoned"]
    assert recover(journal, registry, "bot", "champion") == []


def _digest(path: Path) -> str:
    from assay.core.subject import Subject  # noqa: PLC0415

    return Subject.from_path(path).sha256


def test_evidence_by_an_unknown_key_is_refused(project: LoadedProject) -> None:
    released = run_release(project, promote_it=False)
    for file in (project.root / ".assay" / "keys").rglob("*"):
        if file.is_file():
            file.unlink()
    fresh = Journal.of_project(project)
    registry = open_project_registry(project)
    state = registry_state(registry, fresh, "bot", "champion")
    verdict = judge(project, fresh, released.candidate, state).final
    assert verdict.decision is Decision.FAIL


def test_strict_holds_until_two_people_approve(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", "policy: {packs: [strict]}\n")
    unsigned = run_release(project)
    assert unsigned.decided.final.decision is Decision.FAIL
    assert "not-established" in {reason.id for reason in unsigned.decided.final.reasons}
    sign_model(project)
    released = run_release(project)
    if released.decided.held.decision is Decision.FAIL:
        pytest.fail(str(released.decided.held.reasons))
    assert released.decided.final.decision is Decision.HOLD
    assert champion(project) is None
    keys = [_person(project, name) for name in ("ana", "ben")]
    project = load_project(project.root)
    for name, key in zip(("ana", "ben"), keys, strict=True):
        approved = approve_release(project, reason="looked at every diff", approver=name, key=key)
    assert approved.decided.final.decision is Decision.PASS, approved.decided.final.reasons
    finished = conclude_release(project)
    assert finished.move is not None
    assert champion(project) == finished.move.version


def _person(project: LoadedProject, name: str) -> Path:
    from assay.ledger import SigningKey  # noqa: PLC0415

    private = project.root / "people" / name / "key.pem"
    SigningKey.load_or_create(private).export_public(project.root / f"{name}.pub")
    text = (project.root / "assay.yaml").read_text()
    if "trusted" not in text:
        text = text.replace("signing.pem}", "signing.pem, trusted: []}")
    listed = f"{name}.pub]" if "[]" in text else f", {name}.pub]"
    head, tail = text.split("trusted: [", 1)
    inside, rest = tail.split("]", 1)
    (project.root / "assay.yaml").write_text(f"{head}trusted: [{inside}{listed}{rest}")
    return private


def test_a_verdict_that_is_not_hold_cannot_be_approved(project: LoadedProject) -> None:
    run_release(project)
    with pytest.raises(UsageError):
        approve_release(project, reason="looked at every diff", approver="ana")


def test_prove_shows_and_verifies_everything_on_those_bytes(project: LoadedProject) -> None:
    released = run_release(project)
    journal = Journal.of_project(project)
    proof = prove(journal, released.candidate.subjects["model"].sha256)
    assert proof.sound
    assert {"artifact.scan", "model.weights-diff", "verdict", "promotion", "alias"} - {"alias"} <= {
        entry.what for entry in proof.entries
    }
    assert not prove(journal, "0" * 64).sound


def test_a_tampered_row_is_seen(project: LoadedProject) -> None:
    import sqlite3  # noqa: PLC0415

    released = run_release(project)
    ledger = project.root / ".assay" / "ledger.db"
    with sqlite3.connect(ledger) as connection:
        envelope = connection.execute("SELECT envelope FROM entries LIMIT 1").fetchone()[0]
        document = json.loads(envelope)
        document["payload"] = document["payload"][:-8] + "AAAAAAA="
        changed = json.dumps(document).encode()
        connection.execute('UPDATE entries SET envelope = ? WHERE "index" = 0', (changed,))
    connection.close()
    with pytest.raises(TamperError):
        Journal.of_project(project)
    journal = Journal.of_project(project, intact=False)
    verification = journal.ledger.verify(journal.keyring)
    assert not verification.sound
    with pytest.raises(AssayError):
        prove(journal, released.candidate.subjects["model"].sha256)


def test_a_model_swapped_during_the_checks_is_not_released(project: LoadedProject) -> None:
    from assay.core.report import Report  # noqa: PLC0415
    from assay.pipeline.execution import SilentWatcher  # noqa: PLC0415

    weights = project.root / "model" / "model.safetensors"
    honest = weights.read_bytes()

    class Swapping(SilentWatcher):
        """Puts other bytes in place while a check runs, and the old ones back afterwards."""

        def finished(self, report: Report, index: int) -> None:  # noqa: ARG002
            weights.write_bytes(b"other")
            weights.write_bytes(honest)

    released = run_release(project, watcher=Swapping())
    assert released.decided.final.decision is Decision.FAIL
    assert released.reports["artifact.scan"].status is Status.ERROR
    assert "changed while it was being checked" in released.reports["artifact.scan"].message
    assert conclude_release(project).move is None
    assert champion(project) is None
    assert run_release(project).move is not None


def test_a_release_that_was_rolled_back_needs_a_person_to_come_back(project: LoadedProject) -> None:
    run_release(project)
    retrain(project)
    second = run_release(project)
    journal = Journal.of_project(project)
    roll_back(
        project, journal, open_project_registry(project), alias="champion", reason="it leaks its prompt"
    )
    journal.close()
    again = run_release(project)
    (reason,) = again.decided.final.reasons
    assert (again.decided.final.decision, reason.id) == (Decision.HOLD, "rolled-back")
    assert reason.message.endswith(": it leaks its prompt")
    assert champion(project) == "1"
    approve_release(project, reason="the leak was in the prompt, and is mended", approver="Ada")
    assert run_release(project).decided.final.decision is Decision.PASS
    assert champion(project) == second.move.version if second.move else False


def test_the_proof_of_a_release_that_was_left_tells_so(project: LoadedProject) -> None:
    run_release(project)
    retrain(project)
    second = run_release(project)
    journal = Journal.of_project(project)
    roll_back(
        project, journal, open_project_registry(project), alias="champion", reason="it leaks its prompt"
    )
    proof = prove(journal, second.candidate.subjects["model"].sha256)
    journal.close()
    assert proof.sound
    assert [(entry.what, entry.outcome) for entry in proof.entries[-2:]] == [
        ("rollback", "champion: 2 → 1 (it leaks its prompt)"),
        ("alias", "champion → 1: done"),
    ]


def test_a_ledger_of_another_key_is_named_before_any_check_runs(project: LoadedProject) -> None:
    run_release(project)
    (project.root / ".assay" / "keys" / "signing.pem").unlink()
    before = (project.root / ".assay" / "ledger.db").stat().st_size
    with pytest.raises(SigningKeyError) as raised:
        run_release(project)
    assert "signing.trusted" in raised.value.remedy
    assert (project.root / ".assay" / "ledger.db").stat().st_size == before
