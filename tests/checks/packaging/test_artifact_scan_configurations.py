"""Configurations that name files, modules and classes: every attack is caught, every benign twin passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.checks.packaging.artifact_scan.documents.diffusion_pipelines import PIPELINES
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


def modules(*types: str) -> dict[str, object]:
    rows = [{"idx": n, "name": str(n), "path": f"{n}_x", "type": name} for n, name in enumerate(types)]
    return {"modules.json": rows}


def mlmodel(**flavor: str) -> dict[str, object]:
    settings = {"loader_module": "mlflow.sklearn", **flavor}
    lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
    return {"MLmodel": f"flavors:\n  python_function:\n{lines}"}


def mapping(library: str, name: str = "Model") -> dict[str, object]:
    return {"peft_type": "LORA", "auto_mapping": {"base_model_class": name, "parent_library": library}}


def adapter(library: str, name: str = "Model") -> dict[str, object]:
    return {"adapter_config.json": mapping(library, name)}


REMOTE = {
    "module of the repository": (modules("custom_st.Transformer"), "medium"),
    "module of Python": (modules("os.system"), "high"),
    "through the library itself": (modules("sentence_transformers.util.os.system"), "high"),
    "router": (
        {"router_config.json": {"types": {"q": "evil.Module"}, "structure": {"q": ["q"]}, "parameters": {}}},
        "medium",
    ),
    "activation": ({"2_Dense/config.json": {"in_features": 8, "activation_function": "evil.F"}}, "medium"),
    "activation that loads": ({"config.json": {"activation_function": "torch.hub.load"}}, "high"),
    "cross encoder": (
        {"config.json": {"model_type": "bert", "sentence_transformers": {"activation_fn": "evil.F"}}},
        "medium",
    ),
    "tokenizer": ({"wordembedding_config.json": {"tokenizer_class": "evil.T"}}, "medium"),
    "adapter": (adapter("evil_library"), "medium"),
    "adapter of Python's": (adapter("subprocess", "Popen"), "high"),
    "megatron": (
        {"adapter_config.json": {"megatron_config": {"a": 1}, "megatron_core": "evil.core"}}, "medium"),
    "component": ({"model_index.json": {"_class_name": "X", "unet": ["evil_module", "Evil"]}}, "medium"),
    "component of Python's": ({"model_index.json": {"_class_name": "X", "unet": ["os", "system"]}}, "high"),
    "pipeline": ({"model_index.json": {"_class_name": ["pipeline", "Mine"]}}, "medium"),
    "custom pipeline": (
        {"config.json": {"custom_pipelines": {"pair": {"impl": "pair.P", "pt": ["AutoModel"]}}}}, "medium"),
    "custom generate": ({"custom_generate/generate.py": "def generate(model):\n    pass\n"}, "medium"),
    "loader module": (mlmodel(loader_module="evil_loader"), "medium"),
    "loader module of Python's": (mlmodel(loader_module="os"), "high"),
    "code beside the model": (mlmodel(code="code"), "medium"),
    "model from code": (mlmodel(model_code_path="agent.py"), "medium"),
    "merged": (
        {"MLmodel": "a: &b {loader_module: evil}\nflavors:\n  python_function:\n    <<: *b\n"}, "medium"),
    "aliased": ({"MLmodel": "a: &b {python_function: {loader_module: evil}}\nflavors: *b\n"}, "medium"),
    "as JSON": ({"MLmodel": {"flavors": {"python_function": {"loader_module": "evil"}}}}, "medium"),
    "as a script": ({"MLmodel": "#!/bin/sh\nflavors: {python_function: {loader_module: evil}}\n"}, "medium"),
}  # fmt: skip


@pytest.mark.parametrize("name", REMOTE)
def test_a_configuration_that_has_code_imported(name: str, put: Put) -> None:
    files, severity = REMOTE[name]
    report = put(files)
    assert found(report) == {("config/remote-code", severity)}, report.findings
    assert report.status is Status.FAIL


def test_what_is_imported_is_told_where_it_is_here(put: Put) -> None:
    report = put({**modules("custom_st.Model"), "custom_st.py": "x = 1\n"})
    messages = {finding.rule: finding.message for finding in report.findings}
    assert messages["config/remote-code"] == "`type` has 'custom_st.Model' imported. Here: custom_st.py."
    assert messages["repository/remote-module"] == "modules.json names it to be imported."
    report = put({**mlmodel(loader_module="mine", code="code"), "code/mine.py": "x = 1\n"})
    assert any("Here: code/mine.py." in finding.message for finding in report.findings)
    component = {
        "model_index.json": {"_class_name": "X", "unet": ["mine", "Mine"]},
        "unet/mine.py": "x = 1\n",
    }
    assert any("Here: unet/mine.py." in finding.message for finding in put(component).findings)


def test_files_that_a_mlmodel_names(put: Put) -> None:
    for flavor in (mlmodel(data="../x"), mlmodel(env="/etc/x.yaml"), mlmodel(python_model=".git/objects/x")):
        assert found(put(flavor)) == {("config/path-leaves-folder", "high")}
    nested = "{artifacts: {a: {path: ../a, uri: x}}, env: {conda: ../c.yaml}}"
    assert len(put({"MLmodel": f"flavors: {{python_function: {nested}}}\n"}).findings) == 2


def test_a_mlmodel_that_is_not_read_is_never_clean(put: Put) -> None:
    keys = "".join(f"k{n}: 1\n" for n in range(3_000))
    bomb = "a: &a\n  " + keys.replace("\n", "\n  ") + "\nb:\n" + "- {<<: *a}\n" * 200
    for text in ("a: [", "a: &a [*a]\nb: {c: " + "[" * 900 + "]" * 900 + "}\n", bomb):
        assert put({"MLmodel": text}).status is Status.INCOMPLETE
    circle = "flavors: &a\n  python_function: *a\n  artifacts: &b {c: *b}\n"
    assert put({"MLmodel": circle}).status is Status.PASS
    columns = ", ".join(f'{{"name": "column {n}", "type": "double"}}' for n in range(20_000))
    assert put({"MLmodel": f"{MLMODEL}note: '{columns}'\n"}).status is Status.PASS


SENTENCE = [
    *(f"sentence_transformers.models.{name}" for name in (
        "Transformer", "Pooling", "Normalize", "Dense", "CNN", "LSTM", "BoW", "Dropout", "LayerNorm",
        "WordEmbeddings", "WordWeights", "WeightedLayerPooling", "CLIPModel", "StaticEmbedding", "Router",
        "Asym", "Dense.Dense",
        "MLMTransformer", "SpladePooling")),
    *(f"sentence_transformers.base.modules.{name}" for name in (
        "transformer.Transformer", "dense.Dense", "router.Router", "normalize.Normalize")),
    "sentence_transformers.sparse_encoder.models.SparseAutoEncoder",
    "sentence_transformers.sparse_encoder.modules.sparse_static_embedding.SparseStaticEmbedding",
    "sentence_transformers.cross_encoder.modules.logit_score.LogitScore",
    "sentence_transformers.multi_vector_encoder.modules.token_pooling.TokenPooling",
    "pylate.models.Dense.Dense",
]  # fmt: skip
TOKENIZER = "sentence_transformers.models.tokenizer.WhitespaceTokenizer.WhitespaceTokenizer"
# The example of MLflow's documentation ("MLflow Models", storage format), with what its sklearn flavour adds.
MLMODEL = """artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.10.12
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.3.0
mlflow_version: 2.9.2
model_uuid: 2dd8e6b2e1a84d4fa4b8e4b9b8cf3ee6
run_id: 5a1f8b3a7b8a4b6b9f0f1e5f6c7d8e9f
signature:
  inputs: '[{"name": "x", "type": "double"}]'
"""
# The example of LightningCLI's documentation ("Configure hyperparameters from the CLI").
LIGHTNING = """seed_everything: 42
trainer:
  callbacks:
  - class_path: pytorch_lightning.callbacks.EarlyStopping
    init_args: {monitor: val_loss, patience: 5}
  - class_path: lightning.pytorch.callbacks.LearningRateMonitor
  logger:
    class_path: lightning.pytorch.loggers.TensorBoardLogger
    init_args: {save_dir: logs}
optimizer:
  class_path: torch.optim.Adam
  init_args: {lr: 0.01}
"""


def test_names_of_the_loaders_own(put: Put) -> None:
    components = {f"part{n}": [name, "X"] for n, name in enumerate(sorted(PIPELINES))}
    report = put({
        **modules(*SENTENCE),
        "2_Dense/config.json": {"activation_function": "torch.nn.modules.activation.Tanh"},
        "config.json": {"model_type": "bert", "activation_function": "gelu_new",
                        "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"},
        "wordembedding_config.json": {"tokenizer_class": TOKENIZER},
        "router_config.json": {"types": {"q_0": SENTENCE[0]}, "structure": {"q": ["q_0"]}},
        "a/adapter_config.json": {
            **mapping("transformers.models.bert.modeling_bert", "BertModel"),
            "megatron_config": None, "megatron_core": "megatron.core"},
        "b/adapter_config.json": mapping("__main__", "MLP"),
        "c/adapter_config.json": {"megatron_config": {}, "megatron_core": "megatron.core"},
        "model_index.json": {
            "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
            "feature_extractor": [None, None], "requires_safety_checker": True,
            "unet": ["diffusers", "UNet2DConditionModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"], "vae_decoder": ["diffusers", "OnnxRuntimeModel"],
            "text_encoder": ["transformers", "CLIPTextModel"], "ort": ["onnxruntime.training", "ORTModule"],
            "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], **components},
        "MLmodel": MLMODEL,
        "config.yaml": LIGHTNING,
        "notes.json": {"target": "example.com", "params": {}, "types": {"a": "b.c"}, "type": "evil.Module"},
    })  # fmt: skip
    assert not report.findings, report.findings
    assert report.status is Status.PASS, report.coverage.skipped


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("config.yaml", "model:\n  class_path: os.system\n  init_args: {command: id}\n", "dangerous"),
        ("config.yaml", "model: {class_path: subprocess.Popen}\n", "dangerous"),
        ("config.yaml", "model:\n  class_path: acme.models.Mine\n", "unknown"),
        ("config.json", {"model": {"class_path": "os.system", "init_args": {"command": "id"}}}, "dangerous"),
        ("config.json", {"model": [{"class_path": "acme.models.Mine"}]}, "unknown"),
        ("config.yaml", {"model": {"target": "acme.models.Mine", "params": {}}}, "unknown"),
        ("config.json", {"model": {"target": "os.system", "params": {}}}, "dangerous"),
        ("config.yaml", {"_target_": "os.system", "x": [{"class_path": "torch.optim.Adam"}]}, "dangerous"),
        ("config.yaml", "#!/bin/sh\nmodel:\n  _target_: os.system\n", "dangerous"),
        ("settings", "class_path: os.system\ninit_args: {}\n", "dangerous"),
    ],
)  # fmt: skip
def test_classes_that_a_command_line_would_make(name: str, content: object, rule: str, put: Put) -> None:
    severity = {"dangerous": "critical", "unknown": "medium"}[rule]
    report = put({name: content})
    assert found(report) == {(f"config/{rule}-target", severity)}
    assert len(report.findings) == 1


def test_what_the_user_allows_passes(put: Put) -> None:
    allow = {"acme.models.Mine": "ours", "acme.nn.Block": "ours"}
    files: dict[str, object] = {"config.yaml": "class_path: acme.models.Mine\n", **modules("acme.nn.Block")}
    assert put(files, allow=allow).status is Status.PASS


CONDA = """name: mlflow-env
channels:
- conda-forge
dependencies:
- python=3.10.12
- pip<=23.2.1
- pip:
  - mlflow==2.9.2
  - scikit-learn==1.3.0
"""
BENTO = """service: "service:svc"
labels: {owner: me}
include: ["*.py"]
python:
  packages: [scikit-learn, "torch>=2"]
  lock_packages: true
"""
PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "x"
dependencies = ["numpy>=2", "torch; sys_platform == 'linux'"]
optional-dependencies = {dev = ["pytest"]}
urls = {Homepage = "http://x.invalid", Source = "https://github.com/a/b"}

[dependency-groups]
test = ["pytest>=8", {include-group = "lint"}]

[tool.poetry]
homepage = "https://x.invalid"
dependencies = {requests = "^2", mine = {path = "../mine"}}

[[tool.poetry.source]]
name = "PyPI"
url = "https://pypi.org/simple/"

[tool.ruff]
url = "http://x.invalid"
"""


@pytest.mark.parametrize(
    ("name", "text", "good", "bad", "severity"),
    [
        ("conda.yaml", CONDA, "mlflow==2.9.2", "--index-url http://evil.invalid/simple", "medium"),
        ("conda.yaml", CONDA, "mlflow==2.9.2", "git+http://evil.invalid/x.git", "medium"),
        ("conda.yaml", CONDA, "conda-forge", "https://evil.invalid/channel", "low"),
        ("conda.yaml", "#!/bin/sh\n" + CONDA, "conda-forge", "http://evil.invalid/channel", "medium"),
        ("python_env.yaml", CONDA, "pip<=23.2.1", "git+https://evil.invalid/x.git", "low"),
        ("bentofile.yaml", BENTO, "lock_packages: true", "index_url: http://evil.invalid/simple", "medium"),
        ("bentofile.yaml", BENTO, "lock_packages: true", "trusted_host: [evil.invalid]", "medium"),
        ("bentofile.yaml", BENTO, "torch>=2", "x @ https://evil.invalid/x.whl", "low"),
        ("pyproject.toml", PROJECT, "numpy>=2", "evil @ http://evil.invalid/x.whl", "medium"),
        ("pyproject.toml", PROJECT, 'hatchling"]', 'x @ git+https://evil.invalid/x"]', "low"),
        ("pyproject.toml", PROJECT, 'pytest"', 'x @ https://evil.invalid/x.whl"', "low"),
        ("pyproject.toml", PROJECT, "pytest>=8", "x@git+http://evil.invalid/x", "medium"),
        ("pyproject.toml", PROJECT, 'path = "../mine"', 'git = "http://evil.invalid/x.git"', "medium"),
        ("pyproject.toml", PROJECT, 'path = "../mine"', 'git = "git@evil.invalid:a/b.git"', "low"),
        ("pyproject.toml", PROJECT, "https://pypi.org/simple/", "http://evil.invalid/simple", "medium"),
        ("pyproject.toml", PROJECT, "tool.ruff", "tool.uv.index", "medium"),
        ("pyproject.toml", PROJECT, "tool.ruff]", 'tool.uv]\nfind-links = ["https://invalid/"]\n[x]', "low"),
        ("pyproject.toml", PROJECT, "tool.ruff", "tool.uv.sources.mine", "medium"),
    ],
)  # fmt: skip
def test_packages_from_elsewhere(name: str, text: str, good: str, bad: str, severity: str, put: Put) -> None:
    assert not put({name: text}).findings
    assert good in text
    report = put({name: text.replace(good, bad)})
    assert found(report) == {("repository/package-source", severity)}
    (finding,) = report.findings
    lines = text.replace(good, bad).splitlines()
    assert finding.location.line is not None
    assert "invalid" in lines[finding.location.line - 1]


def test_a_project_file_of_a_newer_toml_is_judged_by_its_lines(put: Put) -> None:
    newer = (
        "[project]\nurls = {\n  a = 'http://x.invalid',\n}\ndependencies = ['x @ http://e.invalid/x.whl']\n"
    )
    assert [finding.location.line for finding in put({"pyproject.toml": newer}).findings] == [3, 5]
