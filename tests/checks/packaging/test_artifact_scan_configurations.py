"""Configurations that name files, modules and classes: every attack is caught, every benign twin passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core.report import Report, Status
from fixtures.scanning import found, scan

Put = Callable[..., Report]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Scans a folder of these files, by their relative names; what is no text is written as JSON."""
    count = 0

    def made(files: dict[str, object], **options: object) -> Report:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return scan(folder, **options)

    return made


def index(*shards: str) -> dict[str, object]:
    return {"metadata": {"total_size": 4}, "weight_map": {f"w{n}": shard for n, shard in enumerate(shards)}}


PATHS = [
    "../evil.bin", "a/../../evil.bin", "/tmp/evil.bin", "C:\\evil.bin", "..\\evil.bin", "~/evil.bin",
    "https://x.invalid/evil.bin", "file:/tmp/evil.bin", "a\nb.bin", ".github/evil.bin", "./.github/evil.bin",
    "model.sig", ".gitattributes", ".git/objects/evil.bin", ".git/evil.bin", "a/../.git/lfs/evil.bin",
]  # fmt: skip
FINE = [
    "model-00001-of-00002.bin",
    "a/model.bin",
    "./model.bin",
    "a/.github/x.bin",
    "mod\u00e8le.bin",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_shard_that_is_no_part_of_the_model(path: str, put: Put) -> None:
    report = put({"pytorch_model.bin.index.json": index("fine.bin", path, path)})
    assert found(report) == {("config/path-leaves-folder", "high")}
    assert len(report.findings) == 1


@pytest.mark.parametrize(
    "files",
    [
        {"modules.json": [{"idx": 0, "path": "../x", "type": "sentence_transformers.models.Pooling"}]},
        {"model_index.json": {"_class_name": "X", "../unet": ["diffusers", "UNet2DModel"]}},
        {"config.json": {"model_type": "bert", "transformers_weights": "../x.safetensors"}},
        {"genai_config.json": {"model": {"decoder": {"filename": "/x.onnx"}}}},
        {"model.json": {"weightsManifest": [{"paths": ["../x.bin"], "weights": []}]}},
        {"ndarray-cache.json": {"metadata": {}, "records": [{"dataPath": "../x.bin"}]}},
    ],
    ids=lambda files: next(iter(files)),
)  # fmt: skip
def test_other_files_that_are_no_part_of_the_model(files: dict[str, object], put: Put) -> None:
    assert found(put(files)) == {("config/path-leaves-folder", "high")}


def test_ordinary_paths(put: Put) -> None:
    report = put(
        {
            "model.safetensors.index.json": index(*FINE),
            "unet/diffusion_pytorch_model.safetensors.index.json": index(
                "diffusion-00001-of-00001.safetensors"
            ),
            "modules.json": [
                {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            ],
            "genai_config.json": {"model": {"decoder": {"filename": "model.onnx"}}},
            "tfjs/model.json": {"weightsManifest": [{"paths": ["group1-shard1of2.bin"], "weights": []}]},
            "adapter_config.json": {"base_model_name_or_path": "/home/me/llama", "peft_type": "LORA"},
            "notes.json": {"path": "/tmp/x", "filename": "../x"},
        }
    )
    assert report.status is Status.PASS, report
    assert not report.findings
