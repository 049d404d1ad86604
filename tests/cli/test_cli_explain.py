"""`assay explain`: a person who reads it knows what would have run, where, and what to do."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from assay.cli.app import run
from assay.subjects.pickles.child.opcodes import OPCODES
from fixtures import chat_templates, framework_attacks, keras_models, pickle_attacks, shape_attacks
from fixtures.baits import touching
from fixtures.torch_zip import write_checkpoint

TRIPWIRE = Path("tripwire")
TENSORS = {"a.weight": np.arange(12, dtype="f4").reshape(3, 4)}
PAYLOAD = b"cos\nsystem\n(S'touch tripwire'\ntR0"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _explained(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    capsys.readouterr()
    assert run(["explain", *arguments]) == code
    return capsys.readouterr().out


def test_a_checkpoint(capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("model.pt"), TENSORS, payload=PAYLOAD)
    assert _explained(capsys, "model.pt") == CHECKPOINT
    assert not TRIPWIRE.exists()


def test_a_computed_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("model.pkl").write_bytes(pickle_attacks.attacks(touching(TRIPWIRE))["computed-name"])
    assert _explained(capsys, "model.pkl") == COMPUTED
    assert not TRIPWIRE.exists()


def test_a_lambda_layer(capsys: pytest.CaptureFixture[str]) -> None:
    code = {"code": keras_models.marshalled(touching(TRIPWIRE)), "defaults": None, "closure": None}
    function = {"class_name": "__lambda__", "config": code}
    layer = keras_models.layer("Lambda", {"name": "scale", "function": function})
    Path("model.keras").write_bytes(keras_models.archive(keras_models.model(layer)))
    told = _explained(capsys, "model.keras")
    # How many bytes Python's compiler makes of it, and which names, differs from version to version.
    assert "would run  types.FunctionType(marshal.loads(<" in told
    assert "because    config.layers[3].config.function holds the code, in base64\n" in told
    assert "texts in it: 'touch tripwire'" in told
    assert "run by     keras.models.load_model(file)\n" in told
    assert not TRIPWIRE.exists()


def test_a_chat_template(capsys: pytest.CaptureFixture[str]) -> None:
    template, _ = chat_templates.INJECTIONS["llama-drama"]
    Path("tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    assert _explained(capsys, "tokenizer_config.json") == TEMPLATE


def test_one_finding_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    Path("models").mkdir()
    for name, content in pickle_attacks.attacks(touching(TRIPWIRE)).items():
        Path(f"models/{name}.pkl").write_bytes(content)
    assert run(["scan", "models", "-f", "json"]) == 1
    report = json.loads(capsys.readouterr().out)["reports"][0]
    wanted = next(f for f in report["findings"] if f["location"]["path"] == "nested.pkl")
    told = _explained(capsys, "models", "--finding", wanted["fingerprint"][:12])
    assert told.startswith("nested.pkl\n")
    assert "GLOBAL imports os.system (byte 2 of a pickle inside the bytes of this one)" in told
    assert f"1 of {len(report['findings'])} findings explained; 9 files not examined" in told
    assert run(["explain", "models", "--finding", "0" * 12]) == 2
    assert "there is no such finding" in capsys.readouterr().err


def test_what_is_clean_needs_no_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("model.pt"), TENSORS)
    assert _explained(capsys, "model.pt", code=0) == "0 of 0 findings explained\n"


def test_the_command_that_a_finding_names_keeps_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my models").mkdir()
    write_checkpoint(Path("my models/model.pt"), TENSORS, payload=PAYLOAD)
    assert run(["scan", "my models", "-f", "json"]) == 1
    finding = json.loads(capsys.readouterr().out)["reports"][0]["findings"][0]
    command = shlex.split(finding["explanation"]["advice"][-1].partition("\n")[2])
    assert command[0] == "assay"
    assert run(command[1:]) == 0
    np.testing.assert_array_equal(load_file("my models/model.safetensors")["a.weight"], TENSORS["a.weight"])
    assert not TRIPWIRE.exists()


def test_arguments_act_on_no_terminal_and_hide_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "echo \x1b[2Jgone \u202edesrever\u200b \U000e0041 ', 'two'"
    raw = hostile.encode()
    text = b"X" + len(raw).to_bytes(4, "little") + raw
    Path("model.pkl").write_bytes(b"\x80\x02cos\nsystem\n" + text + b"\x85R.")
    told = _explained(capsys, "model.pkl")
    shown = told.partition("would run")[2].partition("because")[0]
    source = " ".join(shown.split())
    assert source == r"""os.system("echo \x1b[2Jgone \u202edesrever\u200b \U000e0041 ', 'two'")"""
    assert all(char.isprintable() or char == "\n" for char in told)


def test_every_step_stands_where_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The byte that a step names is the opcode that it names."""
    sources = (pickle_attacks, shape_attacks, framework_attacks)
    contents = {name: data for one in sources for name, data in one.attacks(touching(TRIPWIRE)).items()}
    Path("models").mkdir()
    for name, content in contents.items():
        Path(f"models/{name}.pkl").write_bytes(content)
    assert run(["scan", "models", "-f", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)["reports"][0]["findings"]
    checked = 0
    for finding in findings:
        content = contents[finding["location"]["path"].removesuffix(".pkl")]
        explanation = finding["explanation"]
        if finding["rule"] not in {"pickle/machines-disagree", "pickle/trailing-data"}:
            assert explanation["source"], finding
        assert explanation["loaders"], finding
        assert explanation["effect"], finding
        assert explanation["advice"], finding
        for step in explanation["steps"]:
            if step["offset"] is not None:
                assert OPCODES[content[step["offset"]]][0] == step["what"].split()[0], finding
                checked += 1
    assert checked > len(contents)


CHECKPOINT = """\
model.pt!/archive/data.pkl byte 33
critical  pickle/dangerous-global  d7f692745f0d
Loading it would call os.system('touch tripwire').
  would run  os.system('touch tripwire')
  because    byte 2   GLOBAL imports os.system
             byte 33  REDUCE calls os.system
  run by     torch.load(file, weights_only=False), which was the default before PyTorch 2.6
  effect     The command runs with all rights of whoever loads the file.
  do         → Do not load it. Ask for the weights as safetensors, which hold no code, or get the
             file from its source again.
             → Where you must open it, torch.load(file, weights_only=True) refuses what is no
             tensor.
             → To keep its numbers and nothing else, without loading it:
             assay convert --tensors-only model.pt -o model.safetensors

1 of 1 finding explained
"""
COMPUTED = """\
model.pkl byte 32
high  pickle/obfuscated  6061abebcfc2
Loading it would import a function or class whose name it computes first:
getattr(import_module(_codecs.encode('os')), 'system').
  would run  getattr(import_module(_codecs.encode('os')), 'system')('touch tripwire')
  because    byte 2   GLOBAL imports _codecs.encode
             byte 23  REDUCE calls _codecs.encode
             byte 32  STACK_GLOBAL resolves getattr(import_module(_codecs.encode('os')), 'system')
             byte 53  REDUCE calls getattr(import_module(_codecs.encode('os')), 'system')
  run by     pickle.load(file); joblib.load(file); pandas.read_pickle(file); torch.load(file,
             weights_only=False), which was the default before PyTorch 2.6
  effect     Any function or class can be reached so, and called, without its name in the file.
  do         → Do not load it. Ask for the weights as safetensors, which hold no code, or get the
             file from its source again.
             → The same numbers in safetensors, or an estimator in skops or ONNX, need no pickle.

1 of 1 finding explained; 1 file not examined: `assay scan` says why
"""
TEMPLATE = """\
tokenizer_config.json
critical  template/injection  6b220c857730
A template in chat_template calls `popen`: "{{ lipsum.__globals__['os'].popen('id').read() }}".
  would run  {{ lipsum.__globals__['os'].popen('id').read() }}
  because    line 1 of the template fetches 'os' of a function or an object of Jinja
             line 1 of the template reaches for '__globals__'
             line 1 of the template takes 'popen' of a module of Python
             line 1 of the template calls `popen`
  run by     whatever renders the chat template without a sandbox, such as llama-cpp-python before
             0.2.72
  effect     A program that renders the template without a sandbox runs whatever it reaches, with
             all rights of the server, at the first message (CVE-2024-34359 in llama-cpp-python,
             CVE-2026-5760 in SGLang). No chat template needs private names such as __class__.
  do         → Do not render it. Take the template from the model's own source, and render templates
             in Jinja's ImmutableSandboxedEnvironment only.

1 of 1 finding explained
"""
