"""`model.origin`: licences of the card, of the files and of the base model."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.checks.pretraining.model_origin.known import known
from assay.core.report import Status
from assay.subjects.hub import licence_named, repository_in
from fixtures.origins import APACHE, GOOD, check, found, model, of


@pytest.mark.parametrize(
    ("front", "files", "expected"),
    [
        ("license: apache-2.0\n", {}, []),
        ("license: apache-2.0\n", {"LICENSE": APACHE}, []),
        ("", {"LICENSE": APACHE}, []),
        ("", {"LICENSE": "our own terms"}, []),
        ("", {}, [("missing-licence", "low")]),
        ("license: other\n", {}, [("missing-licence", "low")]),
        ("license: unknown\n", {}, [("missing-licence", "low")]),
        ("license: other\nlicense_name: our-terms\n", {}, []),
        ("license: other\nlicense_name: llama3.1\n", {}, [("licence-terms", "low")]),
        ("license: mit\n", {"LICENSE": APACHE}, [("licence-conflict", "medium")]),
        ("license: [mit, apache-2.0]\n", {"LICENSE": APACHE}, []),
        ("license: cc-by-nc-4.0\n", {}, [("licence-terms", "low")]),
        ("license: gpl-3.0\n", {}, [("licence-terms", "low")]),
        ("", {"LICENSE": "Gemma Terms of Use"}, [("licence-terms", "low")]),
    ],
)
def test_licences(tmp_path: Path, front: str, files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    folder = model(tmp_path / "m", f"{front}base_model: org/base\n")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert found(check(folder, **GOOD)) == expected


def test_a_fine_tune_keeps_the_terms_of_its_base(tmp_path: Path) -> None:
    front = "license: {}\nbase_model: meta-llama/Llama-3.1-8B\n"
    shed = check(model(tmp_path / "a", front.format("apache-2.0")))
    assert of(shed, "licence-conflict") == [
        ("medium", "The card states Apache-2.0, and meta-llama/Llama-3.1-8B comes under Llama-3.1.")
    ]
    kept = check(model(tmp_path / "b", front.format("llama3.1")))
    assert of(kept, "licence-conflict") == []


def test_only_allowed_licences_pass(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    assert check(folder, allowed_licences=["apache-2.0"], **GOOD).status is Status.PASS
    assert check(folder, allowed_licences=["Apache License 2.0", "MIT"], **GOOD).status is Status.PASS
    report = check(folder, allowed_licences=["MIT"], **GOOD)
    assert [s for s, _ in of(report, "licence-not-allowed")] == ["high"]
    none = check(model(tmp_path / "n", "base_model: org/base\n"), allowed_licences=["MIT"], **GOOD)
    assert [s for s, _ in of(none, "missing-licence")] == ["high"]
    inherited = model(tmp_path / "o", "license: mit\nbase_model: google/gemma-2-9b\n")
    assert of(check(inherited, allowed_licences=["MIT"]), "licence-not-allowed")
    own = model(tmp_path / "p", "license: other\nlicense_name: Our-Terms\nbase_model: org/base\n")
    assert check(own, allowed_licences=["our-terms"], **GOOD).status is Status.PASS
    text = model(tmp_path / "q", "base_model: org/base\n")
    (text / "LICENSE").write_text("strange terms")
    assert of(check(text, allowed_licences=["MIT"]), "licence-not-allowed")


def test_the_data_file_is_sound() -> None:
    data = known()
    assert not set(data.accounts) & set(data.publishers)
    for pattern, licence in data.terms.items():
        assert licence_named(licence) is not None
        assert pattern.split("/")[0] in data.publishers
    for name in (*data.canonical.values(), *filter(None, data.renamed.values())):
        assert repository_in(name) is not None
