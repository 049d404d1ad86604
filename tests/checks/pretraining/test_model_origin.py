"""`model.origin`: sources, revisions, downloads, code, and what cannot be read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.checks.pretraining.model_origin import ModelOrigin
from assay.core.canonical import JSON
from assay.core.check import Check
from assay.core.errors import ConfigError
from assay.core.report import Status
from fixtures.origins import CARD, COMMIT, GOOD, OTHER, check, found, model, of


def test_it_is_a_check() -> None:
    assert isinstance(ModelOrigin(), Check)
    assert len({rule.id for rule in ModelOrigin.info.rules}) == len(ModelOrigin.info.rules)


def test_a_documented_pinned_model_has_no_findings(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m"), **GOOD)
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.metrics == {
        "source": "",
        "revision": "",
        "pinned": False,
        "base_models": 1,
        "card": True,
        "licence": "apache-2.0",
        "remote_code": False,
        "signed": False,
    }


def test_a_model_that_nobody_describes_passes_with_low_findings(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m", None))
    assert report.status is Status.PASS
    assert sorted(found(report)) == [
        ("missing-card", "low"),
        ("missing-licence", "low"),
        ("unknown-source", "low"),
    ]


def test_a_single_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    report = check(tmp_path / "m.gguf", source=f"hf://org/name@{COMMIT}")
    assert report.status is Status.PASS
    assert report.metrics["source"] == "org/name"
    assert report.metrics["pinned"] is True


def test_a_source_is_pinned_by_a_full_commit_only(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    for written, expected in (("", ["medium"]), ("@main", ["medium"]), (f"@{COMMIT[:12]}", ["medium"])):
        report = check(folder, source=f"hf://org/name{written}", **GOOD)
        assert [s for s, _ in of(report, "unpinned")] == expected
        assert report.metrics["pinned"] is False
    pinned = check(folder, source=f"hf://org/name@{COMMIT}", **GOOD)
    assert of(pinned, "unpinned") == []
    assert found(pinned) == [("unsigned", "low")]
    assert pinned.metrics["revision"] == COMMIT


def test_a_revision_may_be_demanded(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    pinned: dict[str, JSON] = {"source": f"hf://org/name@{COMMIT}", "require_revision": True}
    assert check(folder, **pinned, **GOOD).status is Status.PASS
    assert check(folder, **pinned).status is Status.FAIL  # the base model has none
    assert check(folder, source="hf://org/name", require_revision=True, **GOOD).status is Status.FAIL
    assert check(folder, require_revision=True, **GOOD).status is Status.FAIL


def test_only_allowed_sources_pass(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    assert check(folder, allowed_sources=["ORG/*"]).status is Status.PASS
    report = check(folder, allowed_sources=["other/*", "org/bas"])
    assert of(report, "source-not-allowed") == [
        ("high", "The base model 'org/base' is not from an allowed source.")
    ]
    unknown = check(model(tmp_path / "n", "license: mit\n"), allowed_sources=["org/*"])
    assert [s for s, _ in of(unknown, "unknown-source")] == ["high"]
    coded = model(tmp_path / "o", auto_map={"AutoModel": "mallory/code--m.X"})
    assert of(check(coded, allowed_sources=["org/*"]), "source-not-allowed")


def test_a_base_model_that_is_no_repository_is_unknown(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m", "license: mit\nbase_model: /mnt/models/base\n"))
    assert of(report, "unknown-source") == [
        ("low", "The card names a base model that is no repository: '/mnt/models/base'.")
    ]


def test_a_declared_source_must_be_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the name of a repository"):
        check(model(tmp_path / "m"), source="/mnt/models/x")


def snapshot(root: Path, revision: str = COMMIT) -> Path:
    place = root / "models--org--name"
    folder = place / "snapshots" / revision
    folder.mkdir(parents=True)
    (place / "blobs").mkdir()
    contents = {
        "model.safetensors": b"weights",
        "README.md": f"---\n{CARD}---\n".encode(),
        "config.json": b"{}",
    }
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        (place / "blobs" / digest).write_bytes(content)
        (folder / name).symlink_to(Path("../../blobs") / digest)
    return folder


def test_a_cache_pins_what_it_holds(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    report = check(folder, **GOOD)
    assert found(report) == [("unsigned", "low")]
    assert (report.metrics["source"], report.metrics["revision"]) == ("org/name", COMMIT)
    assert check(folder, source=f"hf://Org/Name@{COMMIT}", **GOOD).status is Status.PASS
    assert check(folder, source="hf://org/name", **GOOD).metrics["pinned"] is True


def test_a_cache_that_contradicts_the_declaration_fails(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    for source in (f"hf://org/other@{COMMIT}", f"hf://org/name@{OTHER}"):
        report = check(folder, source=source, **GOOD)
        assert report.status is Status.FAIL
        assert [s for s, _ in of(report, "source-mismatch")] == ["high"]


def test_a_cache_that_was_altered_fails(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    (folder / "model.safetensors").resolve().write_bytes(b"backdoor")
    report = check(folder, **GOOD)
    assert report.status is Status.FAIL
    assert of(report, "altered-download") == [
        ("high", "'model.safetensors' is not the file that the hub gave.")
    ]


def downloaded(folder: Path, **revisions: str) -> Path:
    metadata = folder / ".cache" / "huggingface" / "download"
    metadata.mkdir(parents=True)
    for stem, revision in revisions.items():
        name = {"config": "config.json", "weights": "model.safetensors"}[stem]
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (metadata / f"{name}.metadata").write_text(f"{revision}\n{digest}\n1.0\n")
    return folder


def test_a_folder_that_was_downloaded_knows_its_revision(tmp_path: Path) -> None:
    folder = downloaded(model(tmp_path / "m"), config=COMMIT, weights=COMMIT)
    report = check(folder, **GOOD)
    assert report.metrics["revision"] == COMMIT
    assert check(folder, source="hf://org/name", **GOOD).metrics["pinned"] is True
    assert of(check(folder, source=f"hf://org/name@{OTHER}", **GOOD), "source-mismatch")
    (folder / "config.json").write_text("{}")
    assert [s for s, _ in of(check(folder, **GOOD), "altered-download")] == ["medium"]
    bom = check(folder).details["bom"]
    assert ".cache" not in json.dumps(bom)


def test_files_of_several_revisions_are_not_pinned(tmp_path: Path) -> None:
    report = check(downloaded(model(tmp_path / "m"), config=COMMIT, weights=OTHER), **GOOD)
    assert of(report, "unpinned") == [("medium", "Its files are of 2 different revisions.")]


def test_a_signature_is_noticed(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "model.sig").write_text("{}")
    report = check(folder, source=f"hf://org/name@{COMMIT}", **GOOD)
    assert found(report) == []
    assert report.metrics["signed"] is True


def test_code_that_comes_with_the_model_is_told(tmp_path: Path) -> None:
    own = check(model(tmp_path / "a", auto_map={"AutoModel": "modeling_x.X"}), **GOOD)
    assert found(own) == [("remote-code", "medium")]
    assert own.status is Status.PASS  # the policy holds on medium
    assert own.metrics["remote_code"] is True
    elsewhere = check(model(tmp_path / "b", auto_map={"AutoModel": "bob/code--modeling_x.X"}), **GOOD)
    assert elsewhere.status is Status.FAIL
    assert "fetches and runs Python from 'bob/code'" in of(elsewhere, "remote-code")[0][1]
    trusting = check(model(tmp_path / "c", trust_remote_code=True), **GOOD)
    assert found(trusting) == [("remote-code", "medium")]
    assert found(check(model(tmp_path / "d", trust_remote_code=False), **GOOD)) == []


@pytest.mark.parametrize("front", ["a: &x 1\nb: *x\n", "license: mit\nlicense: gpl-3.0\n", "a: [\n"])
def test_an_unreadable_card_is_not_a_pass(tmp_path: Path, front: str) -> None:
    report = check(model(tmp_path / "m", front), **GOOD)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].what == "README.md"


def test_an_unreadable_configuration_is_not_a_pass(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "config.json").write_text('{"auto_map": {}, "auto_map": {"A": "m.X"}}')
    assert check(folder, **GOOD).status is Status.INCOMPLETE
