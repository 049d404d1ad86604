"""assay.yaml: found, read, validated; a mistake in it never switches a check off."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import ConfigError
from assay.guard.policy import GuardPolicy
from assay.pipeline.guarding import guard_policy
from assay.pipeline.project import load_project

MINIMAL = "version: 1\nmodel: {name: bot, path: model}\n"


def write(folder: Path, text: str) -> Path:
    (folder / "assay.yaml").write_text(text, encoding="utf-8")
    return folder


def test_it_is_found_from_a_folder_below(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    project = load_project(below)
    assert project.root == tmp_path
    assert project.config.policy.packs == ["baseline"]
    assert project.resolve("model") == tmp_path / "model"
    assert "model.name" in project.written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("polcy: {}\n", "unknown key 'polcy'"),
        ("policy: {pack: [strict]}\n", "unknown key 'policy.pack'"),
        ("policy: {max_age_days: 0}\n", "policy.max_age_days"),
        ("policy: {packs: []}\n", "policy.packs"),
        ("guard: {treshold: {}}\n", "unknown key 'guard.treshold'"),
        ("guard: {routes: {/a: {layers: {}}}}\n", "unknown key 'guard.routes./a.layers'"),
        ("guard: {allow: [{rule: '*', reason: we say so here, expires: 2027-01-01}]}\n", "name a rule"),
        ("not_applicable: {infra.iac: {reason: no}}\n", "not_applicable.infra.iac.reason"),
        ("model: {name: bot, path: other}\n", "key 'model' stands twice"),
        ("data: [\n", "is not valid YAML"),
        ("data: &a {path: x}\nendpoint: *a\n", "aliases are not allowed"),
        ("infrastructure: !!python/object/apply:os.system [id]\n", "is not valid YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_project(write(tmp_path, MINIMAL + text))


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_what_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="is not a mapping of keys"):
        load_project(write(tmp_path, text))


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "assay.yaml").write_bytes(b"version: \xff\xfe\n")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_project(tmp_path)


def test_no_file_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no assay\.yaml") as caught:
        load_project(tmp_path)
    assert "assay init" in caught.value.remedy


def test_the_guard_of_a_project_reads_its_packs_from_beside_the_file(tmp_path: Path) -> None:
    policy = guard_policy(
        load_project(write(tmp_path, MINIMAL + "guard: {certain: flag, packs: [own.yaml]}\n"))
    )
    assert policy.packs == (str(tmp_path / "own.yaml"),)
    assert policy.default.certain == "flag"
    assert guard_policy(load_project(write(tmp_path, MINIMAL))) == GuardPolicy()
