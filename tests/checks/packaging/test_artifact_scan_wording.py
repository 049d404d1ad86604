"""What findings say: in one sentence what would happen, by the kinds of files that need it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.checks.packaging.artifact_scan import ArtifactScan
from fixtures.gguf_writer import ordinary
from fixtures.scanning import scan_bytes
from fixtures.torch_containers import torchscript


def layer(name: str, **config: object) -> str:
    """A Keras model of one layer."""
    inner = {"module": "keras.layers", "class_name": name, "config": {"name": "one", **config}}
    model = {"name": "m", "layers": [inner]}
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": model})


OPENVINO = (
    '<net name="m" version="11"><layers><layer id="0" name="w" type="Const" version="opset1">'
    '<data element_type="f32" shape="4" offset="0" size="8"/></layer></layers></net>'
)
SAID: dict[str, tuple[bytes | str, str]] = {
    "vocabulary.json": (
        layer("StringLookup", vocabulary="/etc/passwd"),
        "Loading 'one' would read its vocabulary from '/etc/passwd', outside this file.",
    ),
    "named.json": (
        layer("Lambda", function="relu6", function_type="function"),
        "Calling the model would run the function 'relu6' of the Lambda layer 'one', found by its name.",
    ),
    "entity.xml": (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "A parser that resolves entities would read 'file:///etc/passwd' for the entity 'x'.",
    ),
    "script.svg": (
        "<svg><script>alert(1)</script></svg>",
        "A browser, or what else runs scripts, would run the one in `<script>`: 'alert(1)'.",
    ),
    "net.xml": (OPENVINO, "Reading layer 'w' would reach past its 8 bytes: its shape takes 16."),
    "tag.yaml": (
        "a: 1\nb: !!python/object/apply:os.system [id]\n",
        "Loading it without a safe loader would make what !!python/object/apply:os.system names (line 2).",
    ),
    "model.safetensors": (
        b"\x02\0\0\0\0\0\0\0{}" + b"hidden",
        "Loaders would disagree on the file: 6 bytes after the last tensor belong to no tensor.",
    ),
    "net.pt": (
        torchscript("    torch.save(x, 'a')\n    return x\n"),
        "Running the model would call torch.save (line 5), which writes a file that it names.",
    ),
}


@pytest.mark.parametrize("name", sorted(SAID))
def test_what_a_finding_says(name: str, tmp_path: Path) -> None:
    content, said = SAID[name]
    messages = [finding.message for finding in scan_bytes(tmp_path, name, content).findings]
    assert said in messages


def test_readers_that_would_disagree_on_a_gguf_file(tmp_path: Path) -> None:
    content = ordinary().write()
    (finding,) = scan_bytes(tmp_path, "m.gguf", content[:40]).findings
    assert finding.message.startswith("Reading the file could crash its reader, or worse: ")


def test_every_rule_says_why_and_what_to_do_in_whole_sentences() -> None:
    for rule in ArtifactScan.info.rules:
        for text in (rule.description, rule.remedy):
            assert text.endswith("."), rule.id
        assert not rule.title.endswith("."), rule.id
