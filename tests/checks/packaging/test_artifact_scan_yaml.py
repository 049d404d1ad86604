"""YAML and NeMo: what a loader or hydra would make of a configuration."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Report, Status
from assay.subjects.pickles.machine import MachinePool
from fixtures.archives import real_tar
from fixtures.scanning import formats_of, found, rules_of, scan, scan_bytes
from fixtures.torch_zip import write_checkpoint
from fixtures.yaml_attacks import DANGEROUS, TAG, attacks


def _scan(tmp_path: Path, text: str, name: str = "config.yaml") -> Report:
    return scan_bytes(tmp_path, name, text.encode())


BENIGN = {
    "nemo": "model:\n  _target_: nemo.collections.asr.models.EncDecCTCModel\n"
    "  optim: {_target_: torch.optim.AdamW}\n",
    "data": "_target_: torch.utils.data.DataLoader\nbatch_size: 3\n",
    "harmless tags": "a: !!python/tuple [1, 2]\nb: !!python/unicode 'x'\nc: !!str 3\n",
    "other targets": "target: os.system\ncompile: {target: test.py}\n",
    "interpolation": "_target_: ${model.class}\n",
    "aliases": "a: &a {b: 1}\nc: *a\nd: {<<: *a}\n",
    "speechbrain": "a: !new:torch.nn.Linear\n  in_features: 3\nb: !ref <a>\n",
    "a text about tags": "note: 'never write !!python/object/apply:os.system'\n",
}


@pytest.mark.parametrize("name", sorted(attacks()))
def test_attack_is_found(name: str, tmp_path: Path) -> None:
    text, rule = attacks()[name]
    assert rules_of(_scan(tmp_path, text)) == {rule}


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_twin_passes(name: str, tmp_path: Path) -> None:
    report = _scan(tmp_path, BENIGN[name])
    assert report.status is Status.PASS, report


@pytest.mark.parametrize(("layer", "rules"), [("Lambda", {"keras/lambda"}), ("Dense", set())])
def test_a_lambda_layer_of_a_model_in_yaml_is_found(layer: str, rules: set[str], tmp_path: Path) -> None:
    config = "config: {function: !!python/tuple ['4w==', null, null], function_type: lambda}"
    text = f"class_name: Sequential\nconfig:\n- class_name: {layer}\n  {config}\n"
    assert rules_of(_scan(tmp_path, text, "model.yaml")) == rules


def test_tags_count_in_files_of_any_name(tmp_path: Path) -> None:
    assert rules_of(_scan(tmp_path, attacks()["apply"][0], "settings")) == {TAG}
    prose = "Never load `a: !!python/object/apply:os.system ['id']`:\n\n* [it] runs: code\n\tdone\n"
    assert _scan(tmp_path, prose, "README.md").status is Status.PASS


def test_json_targets(tmp_path: Path) -> None:
    for name, rule in (("os.system", {DANGEROUS}), ("torch.optim.AdamW", set())):
        assert rules_of(_scan(tmp_path, json.dumps({"a": [{"_target_": name}]}), "c.json")) == rule


def test_a_reason_allows_a_target(tmp_path: Path) -> None:
    report = scan_bytes(
        tmp_path, "c.yaml", attacks()["own class"][0].encode(), allow={"acme.models.Net": "ours, reviewed"}
    )
    assert report.status is Status.PASS


def test_aliases_that_unfold_without_end(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert rules_of(_scan(tmp_path, bomb)) == {"config/alias-bomb"}


def test_broken_yaml_is_incomplete(tmp_path: Path) -> None:
    for text in ("a: [\n", "a: 'x\n", "\ta: b: c\n"):
        assert _scan(tmp_path, text).status is Status.INCOMPLETE


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("target", ["nemo.collections.asr.models.EncDecCTCModel", "os.system"])
def test_cve_2025_23304_nemo_model(target: str, packed: bool, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "w", {"w": np.ones(3, "f4")})
    tar = real_tar(
        ("./model_config.yaml", f"target: {target}\ncfg:\n  _target_: {target}\n".encode()),
        ("./model_weights.ckpt", (tmp_path / "w").read_bytes()),
    )
    report = scan_bytes(tmp_path, "m.nemo", gzip.compress(tar) if packed else tar)
    assert "nemo" in formats_of(report)
    assert report.status is (Status.FAIL if target == "os.system" else Status.PASS), report


PIECES = st.sampled_from([*"ab:-&*!{}[]\n #'\"%|>?,_<\t\\", "!!python/name:os.x", "&a ", "*a", "_target_: "])


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(size=1) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path_factory.mktemp("workspace"))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=40))
def test_no_text_raises(
    scanner: Scanner, tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    file = tmp_path_factory.mktemp("x") / "c.yaml"
    file.write_text("".join(pieces))
    outcome = scanner.file(file, "c.yaml")
    assert not any("could not be examined" in skipped.reason for skipped in outcome.skipped)


def test_a_class_of_the_folder_s_own_is_judged_where_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "conf" / "model.yaml").write_text("net:\n  _target_: models.net.Net\n  width: 3\n")
    source = folder / "models" / "net.py"
    source.write_text("class Net:\n    def __init__(self, width):\n        self.width = width\n")
    assert found(scan(folder)) == {("config/unknown-target", "low")}
    source.write_text("import os\n\n\nclass Net:\n    def __init__(self, width):\n        os.system('id')\n")
    assert ("python/starts-process", "high") in found(scan(folder))
    source.unlink()
    assert found(scan(folder)) == {("config/unknown-target", "medium")}


def test_the_folder_s_own_name_makes_no_danger_harmless(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("import os\n")
    (tmp_path / "model.yaml").write_text("_target_: models.os.system\n")
    assert (DANGEROUS, "critical") in found(scan(tmp_path))


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "[" * 600 + "]" * 600], ids=len)
def test_brackets_too_deep_for_the_parser_are_not_clean(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(text)
    assert scan(tmp_path / "model.yaml").status is not Status.PASS
