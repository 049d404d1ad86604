"""`model.origin`: names that only look like a known publisher's, and names that changed hands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.pretraining.model_origin.known import known
from assay.checks.pretraining.model_origin.likeness import distance, skeleton
from assay.core.report import Status
from fixtures.origins import COMMIT, check, found, model, of

IMPOSTORS = [
    "mistralal/Mistral-7B-v0.1",
    "mistra1ai/Mistral-7B-v0.1",
    "mistral-ai/Mistral-7B-v0.1",
    "mistrlaai/Mistral-7B-v0.1",
    "mistralaii/Mistral-7B-v0.1",
    "rnistralai/Mistral-7B-v0.1",
    "meta_llama/Llama-3.1-8B",
    "metallama/Llama-3.1-8B",
    "meta-l1ama/Llama-3.1-8B",
    "meta-llama-official/Llama-3.1-8B",
    "official-meta-llama/Llama-3.1-8B",
    "Llama-3.1-8B/meta-llama",
    "deepseek-al/DeepSeek-R1",
    "deepseekai/DeepSeek-R1",
    "0penai/whisper-large-v3",
    "opena1/whisper-large-v3",
    "openai-hf/whisper-large-v3",
    "Qvven/Qwen2.5-7B",
    "stabilltyai/stable-diffusion-xl-base-1.0",
    "g00gle/gemma-2-9b",
    "microsof/phi-2",
    "mistral-ai/anything-7b",
    "Qvven/anything-7b",
    "nvldia/Nemotron-4-340B",
    "mistrаlai/Mistral-7B-v0.1",  # noqa: RUF001  a Cyrillic letter
    "ореnai/whisper-large-v3",  # noqa: RUF001  two
    "mistralai/Mistrаl-7B-v0.1",  # noqa: RUF001  in the model's name
]
HONEST = [
    "mistralai/Mistral-7B-v0.1",
    "MistralAI/mistral-7b-v0.1",
    "meta-llama/Llama-3.1-8B-Instruct",
    "unsloth/Llama-3.1-8B-Instruct",
    "TheBloke/Mistral-7B-Instruct-v0.2-GGUF",
    "bartowski/Qwen2.5-7B-Instruct-GGUF",
    "Qwen/Qwen2.5-7B",
    "owen/my-model",
    "google/gemma-2-9b",
    "google-bert/bert-base-uncased",
    "google-t5/t5-small",
    "gpt2",
    "openai-community/gpt2",
    "facebook/opt-125m",
    "FacebookAI/roberta-base",
    "hf-internal-testing/tiny-random-LlamaForCausalLM",
    "sentence-transformers/all-MiniLM-L6-v2",
    "teknium/OpenHermes-2.5-Mistral-7B",
    "HuggingFaceM4/idefics2-8b",
    "huggyllama/llama-7b",
    "openlm-research/open_llama_7b",
    "stabilityai/stablelm-2-1_6b",
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "NousResearch/Hermes-3-Llama-3.1-8B",
    "cognitivecomputations/dolphin-2.9-llama3-8b",
    "mlabonne/NeuralBeagle14-7B",
    "Intel/neural-chat-7b-v3-1",
    "BAAI/bge-m3",
    "thenlper/gte-large",
    "WhereIsAI/UAE-Large-V1",
    "deepset/roberta-base-squad2",
    "cardiffnlp/twitter-roberta-base-sentiment",
    "ProsusAI/finbert",
    "dslim/bert-base-NER",
    "nlptown/bert-base-multilingual-uncased-sentiment",
    "Helsinki-NLP/opus-mt-en-de",
    "timm/resnet50.a1_in1k",
    "xinsir/controlnet-union-sdxl-1.0",
    "lllyasviel/sd-controlnet-canny",
    "h94/IP-Adapter",
    "ai-forever/rugpt3large_based_on_gpt2",
    "rinna/japanese-gpt-neox-3.6b",
    "cyberagent/open-calm-7b",
    "elyza/ELYZA-japanese-Llama-2-7b",
    "skt/kogpt2-base-v2",
    "EleutherAI/pythia-70m",
    "roneneldan/TinyStories-33M",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "Salesforce/blip2-opt-2.7b",
    "acme/support-bot",
    "my-company/llama-finetune",
    "apples/orchard",
    "upstash/router",
]


@pytest.mark.parametrize("name", IMPOSTORS)
def test_a_name_that_only_looks_like_a_publishers_fails(tmp_path: Path, name: str) -> None:
    report = check(model(tmp_path / "m", f"license: mit\nbase_model: {name}\n"))
    assert [severity for severity, _ in of(report, "look-alike")] == ["high"], found(report)
    assert report.status is Status.FAIL


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_raises_no_alarm(tmp_path: Path, name: str) -> None:
    report = check(model(tmp_path / "m", f"license: mit\nbase_model: {name}\n"))
    assert of(report, "look-alike") == []
    assert [s for s, _ in of(report, "renamed-namespace")] in ([], ["info"])
    assert report.status is Status.PASS


def test_every_known_publisher_is_honest(tmp_path: Path) -> None:
    names = [f"{publisher}/something" for publisher in known().publishers.values()]
    names += [f"{name}/something" for name in known().accounts]
    for number, name in enumerate(names):
        report = check(model(tmp_path / str(number), f"license: mit\nbase_model: {name}\n"))
        assert of(report, "look-alike") == [], name


def test_the_names_are_looked_for_wherever_they_are_used(tmp_path: Path) -> None:
    name = "mistralal/Mistral-7B-v0.1"
    sourced = check(model(tmp_path / "a"), source=f"hf://{name}@{COMMIT}")
    mentioned = check(model(tmp_path / "b", _name_or_path=name))
    coded = check(model(tmp_path / "c", auto_map={"AutoModel": f"{name}--modeling.X"}))
    adapted = model(tmp_path / "d", "license: mit\n")
    (adapted / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": name}))
    for report in (sourced, mentioned, coded, check(adapted)):
        assert len(of(report, "look-alike")) == 1


def test_a_path_on_the_trainers_machine_is_no_name(tmp_path: Path) -> None:
    for path in ("/home/mistralal/Mistral-7B-v0.1", "checkpoints/last", "./mistralal/Mistral-7B", "out"):
        assert of(check(model(tmp_path / "m", _name_or_path=path)), "look-alike") == []


def test_a_name_may_be_accepted_with_a_reason(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", "license: mit\nbase_model: mistral-ai/Mistral-Fork\n")
    assert check(folder).status is Status.FAIL
    assert check(folder, accept={"Mistral-AI/mistral-fork": "our own mirror"}).status is Status.PASS
    assert check(folder, accept={"mistral-ai/Mistral-Fork": ""}).status is Status.FAIL


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("runwayml/stable-diffusion-v1-5", "medium", "was renamed to stable-diffusion-v1-5/"),
        ("THUDM/chatglm3-6b", "medium", "was renamed to zai-org"),
        ("decapoda-research/llama-7b-hf", "medium", "was given up by its owner"),
        (f"hf://decapoda-research/llama-7b-hf@{COMMIT}", "low", "was given up by its owner"),
        ("bert-base-uncased", "info", "stands at google-bert/bert-base-uncased now"),
    ],
)
def test_names_that_changed_hands(tmp_path: Path, name: str, severity: str, words: str) -> None:
    report = check(model(tmp_path / "m", f"license: mit\nbase_model: {name}\n"))
    ((got, message),) = of(report, "renamed-namespace")
    assert got == severity
    assert words in message


def test_a_copy_of_a_known_model_is_told(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m", "license: mit\nbase_model: bob/Mistral-7B-v0.1\n"))
    assert of(report, "copied-name")[0][0] == "low"
    assert "of mistralai" in of(report, "copied-name")[0][1]


def test_distance_counts_what_fingers_do() -> None:
    assert distance("mistralai", "mistralai") == 0
    assert distance("mistralai", "mistralal") == 1
    assert distance("mistralai", "mitsralai") == 1
    assert distance("mistralai", "mistral") == 2
    assert distance("mistralai", "llama") == 3
    assert distance("", "") == 0


@given(st.text("abcd", max_size=8), st.text("abcd", max_size=8))
def test_distance_is_symmetric_and_bounded(first: str, second: str) -> None:
    apart = distance(first, second)
    assert apart == distance(second, first)
    assert 0 <= apart <= 3
    assert (apart == 0) == (first == second)


def test_skeletons() -> None:
    assert skeleton("Meta-Llama") == skeleton("meta_l1ama") == skeleton("METALLAMA")
    assert skeleton("rnodel") == skeleton("model")
    assert skeleton("mistralai") != skeleton("mixtralai")
