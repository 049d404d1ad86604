"""`model.origin`: names, sources, licences, code, and the bill of materials."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.pretraining.model_origin import ModelOrigin
from assay.checks.pretraining.model_origin.known import known
from assay.checks.pretraining.model_origin.likeness import distance, skeleton
from assay.core.canonical import JSON, canonical_bytes
from assay.core.check import Check, Context
from assay.core.errors import ConfigError
from assay.core.report import Report, Status
from assay.core.subject import Subject
from assay.subjects.hub import licence_named, repository_in

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
CARD = "license: apache-2.0\nbase_model: org/base\n"
GOOD: dict[str, JSON] = {"base_models": [f"hf://org/base@{COMMIT}"]}


def model(folder: Path, front: str | None = CARD, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    if front is not None:
        (folder / "README.md").write_text(f"---\n{front}---\n# A model\n", encoding="utf-8")
    return folder


def check(path: Path, **options: JSON) -> Report:
    return ModelOrigin().run(Subject.from_path(path), Context(path.parent, options=options))


def found(report: Report) -> list[tuple[str, str]]:
    return [(f.rule.removeprefix("origin/"), f.severity.value) for f in report.findings]


def of(report: Report, rule: str) -> list[tuple[str, str]]:
    return [(f.severity.value, f.message) for f in report.findings if f.rule == f"origin/{rule}"]


def test_it_is_a_check() -> None:
    assert isinstance(ModelOrigin(), Check)
    assert len({rule.id for rule in ModelOrigin.info.rules}) == len(ModelOrigin.info.rules)


def test_a_documented_pinned_model_has_no_findings(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m"), **GOOD)
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.metrics == {
        "source": "",
        "revision": "",
        "pinned": False,
        "base_models": 1,
        "card": True,
        "licence": "apache-2.0",
        "remote_code": False,
        "signed": False,
    }


def test_a_model_that_nobody_describes_passes_with_low_findings(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m", None))
    assert report.status is Status.PASS
    assert sorted(found(report)) == [
        ("missing-card", "low"),
        ("missing-licence", "low"),
        ("unknown-source", "low"),
    ]


def test_a_single_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    report = check(tmp_path / "m.gguf", source=f"hf://org/name@{COMMIT}")
    assert report.status is Status.PASS
    assert report.metrics["source"] == "org/name"
    assert report.metrics["pinned"] is True


# --- names ---

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


# --- sources ---


def test_a_source_is_pinned_by_a_full_commit_only(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    for written, expected in (("", ["medium"]), ("@main", ["medium"]), (f"@{COMMIT[:12]}", ["medium"])):
        report = check(folder, source=f"hf://org/name{written}", **GOOD)
        assert [s for s, _ in of(report, "unpinned")] == expected
        assert report.metrics["pinned"] is False
    pinned = check(folder, source=f"hf://org/name@{COMMIT}", **GOOD)
    assert of(pinned, "unpinned") == []
    assert found(pinned) == [("unsigned", "low")]
    assert pinned.metrics["revision"] == COMMIT


def test_a_revision_may_be_demanded(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    pinned: dict[str, JSON] = {"source": f"hf://org/name@{COMMIT}", "require_revision": True}
    assert check(folder, **pinned, **GOOD).status is Status.PASS
    assert check(folder, **pinned).status is Status.FAIL  # the base model has none
    assert check(folder, source="hf://org/name", require_revision=True, **GOOD).status is Status.FAIL
    assert check(folder, require_revision=True, **GOOD).status is Status.FAIL


def test_only_allowed_sources_pass(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    assert check(folder, allowed_sources=["ORG/*"]).status is Status.PASS
    report = check(folder, allowed_sources=["other/*", "org/bas"])
    assert of(report, "source-not-allowed") == [
        ("high", "The base model 'org/base' is not from an allowed source.")
    ]
    unknown = check(model(tmp_path / "n", "license: mit\n"), allowed_sources=["org/*"])
    assert [s for s, _ in of(unknown, "unknown-source")] == ["high"]
    coded = model(tmp_path / "o", auto_map={"AutoModel": "mallory/code--m.X"})
    assert of(check(coded, allowed_sources=["org/*"]), "source-not-allowed")


def test_a_base_model_that_is_no_repository_is_unknown(tmp_path: Path) -> None:
    report = check(model(tmp_path / "m", "license: mit\nbase_model: /mnt/models/base\n"))
    assert of(report, "unknown-source") == [
        ("low", "The card names a base model that is no repository: '/mnt/models/base'.")
    ]


def test_a_declared_source_must_be_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the name of a repository"):
        check(model(tmp_path / "m"), source="/mnt/models/x")


def snapshot(root: Path, revision: str = COMMIT) -> Path:
    place = root / "models--org--name"
    folder = place / "snapshots" / revision
    folder.mkdir(parents=True)
    (place / "blobs").mkdir()
    contents = {
        "model.safetensors": b"weights",
        "README.md": f"---\n{CARD}---\n".encode(),
        "config.json": b"{}",
    }
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        (place / "blobs" / digest).write_bytes(content)
        (folder / name).symlink_to(Path("../../blobs") / digest)
    return folder


def test_a_cache_pins_what_it_holds(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    report = check(folder, **GOOD)
    assert found(report) == [("unsigned", "low")]
    assert (report.metrics["source"], report.metrics["revision"]) == ("org/name", COMMIT)
    assert check(folder, source=f"hf://Org/Name@{COMMIT}", **GOOD).status is Status.PASS
    assert check(folder, source="hf://org/name", **GOOD).metrics["pinned"] is True


def test_a_cache_that_contradicts_the_declaration_fails(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    for source in (f"hf://org/other@{COMMIT}", f"hf://org/name@{OTHER}"):
        report = check(folder, source=source, **GOOD)
        assert report.status is Status.FAIL
        assert [s for s, _ in of(report, "source-mismatch")] == ["high"]


def test_a_cache_that_was_altered_fails(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    (folder / "model.safetensors").resolve().write_bytes(b"backdoor")
    report = check(folder, **GOOD)
    assert report.status is Status.FAIL
    assert of(report, "altered-download") == [
        ("high", "'model.safetensors' is not the file that the hub gave.")
    ]


def downloaded(folder: Path, **revisions: str) -> Path:
    metadata = folder / ".cache" / "huggingface" / "download"
    metadata.mkdir(parents=True)
    for stem, revision in revisions.items():
        name = {"config": "config.json", "weights": "model.safetensors"}[stem]
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (metadata / f"{name}.metadata").write_text(f"{revision}\n{digest}\n1.0\n")
    return folder


def test_a_folder_that_was_downloaded_knows_its_revision(tmp_path: Path) -> None:
    folder = downloaded(model(tmp_path / "m"), config=COMMIT, weights=COMMIT)
    report = check(folder, **GOOD)
    assert report.metrics["revision"] == COMMIT
    assert check(folder, source="hf://org/name", **GOOD).metrics["pinned"] is True
    assert of(check(folder, source=f"hf://org/name@{OTHER}", **GOOD), "source-mismatch")
    (folder / "config.json").write_text("{}")
    assert [s for s, _ in of(check(folder, **GOOD), "altered-download")] == ["medium"]
    bom = check(folder).details["bom"]
    assert ".cache" not in json.dumps(bom)


def test_files_of_several_revisions_are_not_pinned(tmp_path: Path) -> None:
    report = check(downloaded(model(tmp_path / "m"), config=COMMIT, weights=OTHER), **GOOD)
    assert of(report, "unpinned") == [("medium", "Its files are of 2 different revisions.")]


def test_a_signature_is_noticed(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "model.sig").write_text("{}")
    report = check(folder, source=f"hf://org/name@{COMMIT}", **GOOD)
    assert found(report) == []
    assert report.metrics["signed"] is True


# --- licences ---

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")


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


# --- code ---


def test_code_that_comes_with_the_model_is_told(tmp_path: Path) -> None:
    own = check(model(tmp_path / "a", auto_map={"AutoModel": "modeling_x.X"}), **GOOD)
    assert found(own) == [("remote-code", "medium")]
    assert own.status is Status.PASS  # the policy holds on medium
    assert own.metrics["remote_code"] is True
    elsewhere = check(model(tmp_path / "b", auto_map={"AutoModel": "bob/code--modeling_x.X"}), **GOOD)
    assert elsewhere.status is Status.FAIL
    assert "fetches and runs Python from 'bob/code'" in of(elsewhere, "remote-code")[0][1]
    trusting = check(model(tmp_path / "c", trust_remote_code=True), **GOOD)
    assert found(trusting) == [("remote-code", "medium")]
    assert found(check(model(tmp_path / "d", trust_remote_code=False), **GOOD)) == []


# --- what cannot be read ---


@pytest.mark.parametrize("front", ["a: &x 1\nb: *x\n", "license: mit\nlicense: gpl-3.0\n", "a: [\n"])
def test_an_unreadable_card_is_not_a_pass(tmp_path: Path, front: str) -> None:
    report = check(model(tmp_path / "m", front), **GOOD)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].what == "README.md"


def test_an_unreadable_configuration_is_not_a_pass(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "config.json").write_text('{"auto_map": {}, "auto_map": {"A": "m.X"}}')
    assert check(folder, **GOOD).status is Status.INCOMPLETE


# --- the bill of materials ---


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
