"""`model.origin`: the CycloneDX bill of a model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from assay.core.canonical import canonical_bytes
from assay.core.report import Report
from fixtures.origins import APACHE, COMMIT, GOOD, check, model


def bill(report: Report, version: SchemaVersion) -> dict[str, Any]:
    text = json.dumps(report.details["bom"])
    assert JsonStrictValidator(version).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


FRONT = """\
license: [apache-2.0, our-terms]
base_model: [org/base, meta-llama/Llama-3.1-8B, gpt2]
base_model_relation: finetune
datasets: [org/data, wikitext]
pipeline_tag: text-generation
library_name: transformers
language: [en, de]
tags: [b, a]
"""


@pytest.mark.parametrize(("written", "version"), [("1.6", SchemaVersion.V1_6), ("1.7", SchemaVersion.V1_7)])
def test_the_bill_is_valid_and_says_what_is_known(
    tmp_path: Path, written: str, version: SchemaVersion
) -> None:
    folder = model(tmp_path / "m", FRONT, architectures=["LlamaForCausalLM"], auto_map={"A": "m.X"})
    (folder / "LICENSE").write_text(APACHE, encoding="utf-8")
    report = check(folder, source=f"hf://acme/bot@{COMMIT}", spec_version=written, **GOOD)
    document = bill(report, version)
    assert document["specVersion"] == written
    main = document["metadata"]["component"]
    assert main["type"] == "machine-learning-model"
    assert (main["group"], main["name"], main["version"]) == ("acme", "bot", COMMIT)
    assert main["purl"] == f"pkg:huggingface/acme/bot@{COMMIT}"
    assert main["hashes"] == [{"alg": "SHA-256", "content": report.subject.sha256}]
    assert main["licenses"][0]["license"] == {"id": "Apache-2.0", "acknowledgement": "declared"}
    assert main["evidence"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert main["modelCard"]["modelParameters"] == {
        "task": "text-generation",
        "architectureFamily": "llama",
        "modelArchitecture": "LlamaForCausalLM",
        "datasets": [{"ref": "data:org/data"}, {"ref": "data:wikitext"}],
    }
    assert main["modelCard"]["considerations"]["technicalLimitations"]
    ancestors = {a["bom-ref"]: a for a in main["pedigree"]["ancestors"]}
    assert ancestors["base:org/base"]["version"] == COMMIT
    assert ancestors["base:meta-llama/Llama-3.1-8B"]["licenses"] == [{"license": {"name": "Llama-3.1"}}]
    assert ancestors["base:gpt2"]["purl"] == "pkg:huggingface/gpt2"
    kinds = [component["type"] for component in document["components"]]
    assert kinds == ["data", "data", "file", "file", "file", "file"]
    weights = next(c for c in document["components"] if c["name"] == "model.safetensors")
    assert weights["hashes"][0]["content"] == hashlib.sha256(b"weights").hexdigest()
    assert document["dependencies"] == [{"ref": "model", "dependsOn": ["data:org/data", "data:wikitext"]}]


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = model(tmp_path / "here" / "m", FRONT), model(tmp_path / "elsewhere" / "x", FRONT)
    bytes_of = [canonical_bytes(check(folder).details) for folder in (first, second)]
    assert bytes_of[0] == bytes_of[1]
    (second / "config.json").write_text("{}")
    assert canonical_bytes(check(second).details) != bytes_of[0]


def test_the_barest_model_has_a_valid_bill(tmp_path: Path) -> None:
    for version in SchemaVersion.V1_6, SchemaVersion.V1_7:
        document = bill(check(model(tmp_path / "m", None), spec_version=version.to_version()), version)
        assert document["metadata"]["component"]["name"] == "model"
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    bill(check(tmp_path / "m.gguf"), SchemaVersion.V1_6)


def test_hostile_text_in_a_card_stays_text(tmp_path: Path) -> None:
    front = (
        'license: "x\\"y"\ndatasets: ["<script>", "\\ud800", "a b/c"]\ntags: ["\\u202e"]\nlanguage: "\\0"\n'
    )
    report = check(model(tmp_path / "m", front))
    bill(report, SchemaVersion.V1_6)
