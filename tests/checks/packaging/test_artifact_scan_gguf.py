"""GGUF files: what claims too much, hides bytes or carries a template that attacks is found; models pass."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.baits import touching
from fixtures.gguf_writer import TEMPLATE, Gguf, Tensor, ordinary
from fixtures.pickle_attacks import attacks
from fixtures.scanning import found, scan_bytes

EVIL = "{{ lipsum.__globals__['os'].popen('id').read() }}"


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_ordinary_model_passes(version: int, order: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.gguf", ordinary(version=version, order=order).write())
    assert (report.status, report.findings) == (Status.PASS, ())
    assert report.details["files"] == [{"file": "model.gguf", "format": "gguf"}]


def test_a_vocabulary_without_tensors_and_a_last_tensor_without_padding_pass(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(20_000)]
    file = ordinary(tensors=[])
    file.keys.append(("tokenizer.ggml.merges", 9, (8, words)))
    assert scan_bytes(tmp_path, "vocab.gguf", file.write()).status is Status.PASS
    data = ordinary().write()
    assert scan_bytes(tmp_path, "model.gguf", data[: len(data.rstrip(b"\0"))]).status is Status.PASS


@pytest.mark.parametrize(
    "key", ["tokenizer.chat_template", "tokenizer.chat_template.tool_use", "general.description"]
)
def test_a_template_that_attacks_is_found_under_every_key(key: str, tmp_path: Path) -> None:
    file = ordinary()
    file.keys = [*file.keys[:-1], (key, 8, EVIL)]
    report = scan_bytes(tmp_path, "model.gguf", file.write())
    assert found(report) == {("template/injection", "critical")}
    assert "popen" in report.findings[0].message


def test_a_template_in_an_array_is_found(tmp_path: Path) -> None:
    for key, strings in (
        ("tokenizer.chat_templates", ["default", EVIL]),
        ("tokenizer.ggml.added_tokens", ["a"] * 5000 + [EVIL + " " * 100]),
    ):
        file = ordinary()
        file.keys.append((key, 9, (8, strings)))
        assert found(scan_bytes(tmp_path, "m.gguf", file.write())) == {("template/injection", "critical")}, (
            key
        )


@pytest.mark.parametrize(
    "file",
    [
        ordinary(tensor_count=1 << 60),
        ordinary(key_count=1 << 60),
        ordinary(tensors=[Tensor("t", (1 << 62, 4))]),
        ordinary(tensors=[Tensor("t", (1 << 20,))]),
        ordinary(tensors=[Tensor("a"), Tensor("b", offset=0)]),
        ordinary(keys=[("general.alignment", 4, 0)]),
    ],
    ids=["tensors", "keys", "overflow", "size", "overlap", "alignment"],
)
def test_what_claims_too_much_is_malformed(file: Gguf, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.gguf", file.write())
    assert ("gguf/malformed", "high") in found(report)
    assert report.status is Status.FAIL


def test_bytes_that_belong_to_no_tensor(tmp_path: Path) -> None:
    payload = attacks(touching(tmp_path / "tripwire"))[min(attacks())]
    behind = scan_bytes(tmp_path, "model.gguf", ordinary(tail=payload).write())
    assert found(behind) == {("gguf/unused-bytes", "high")}
    told = f"No reader of tensors would look at {len(payload):,} bytes that belong to none."
    assert behind.findings[0].message == told
    zeros = scan_bytes(tmp_path, "model.gguf", ordinary(tail=b"\0" * 64).write())
    assert found(zeros) == {("gguf/unused-bytes", "low")}
    padding = scan_bytes(tmp_path, "model.gguf", ordinary(padding=b"\7").write())
    assert found(padding) == {("gguf/unused-bytes", "low")}
    assert not (tmp_path / "tripwire").exists()


def test_padding_of_a_large_alignment_is_a_place_to_hide(tmp_path: Path) -> None:
    file = ordinary(alignment=4096, padding=b"\7")
    file.keys[1] = ("general.alignment", 4, 4096)
    assert ("gguf/unused-bytes", "high") in found(scan_bytes(tmp_path, "model.gguf", file.write()))
    file.padding = b"\0"
    assert scan_bytes(tmp_path, "model.gguf", file.write()).status is Status.PASS


def test_what_is_not_known_is_incomplete(tmp_path: Path) -> None:
    for file in (ordinary(version=4), ordinary(tensors=[Tensor("t", (8,), 97)])):
        report = scan_bytes(tmp_path, "model.gguf", file.write())
        assert (report.status, report.findings) == (Status.INCOMPLETE, ())


@pytest.mark.parametrize("magic", [b"lmgg", b"fmgg", b"tjgg", b"algg"])
def test_older_formats_ask_for_conversion(magic: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.bin", magic + struct.pack("<II", 1, 32000) + b"\1" * 40)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].remedy == "Convert it to GGUF."


def test_a_word_is_no_magic_number(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "README.md", "GGUF files for llama.cpp\n").status is Status.PASS


def test_a_name_that_lies_is_told(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "model.gguf", json.dumps({"a": 1}))
    assert found(report) == {("artifact/lying-extension", "medium")}
    report = scan_bytes(tmp_path, "model.safetensors", ordinary().write())
    assert ("artifact/lying-extension", "medium") in found(report)


def test_no_prefix_passes(tmp_path: Path) -> None:
    data = ordinary().write()
    for length in range(5, len(data.rstrip(b"\0")), 7):
        assert scan_bytes(tmp_path, "model.gguf", data[:length]).status is not Status.PASS, length


def test_the_same_template_passes_in_a_model(tmp_path: Path) -> None:
    file = ordinary()
    file.keys.append(("tokenizer.chat_template.rag", 8, TEMPLATE))
    assert scan_bytes(tmp_path, "model.gguf", file.write()).status is Status.PASS
