"""What a hub's files say: names, cards, configurations, downloads, licence texts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cyclonedx.spdx import is_supported_id
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError, LimitError, SubjectError
from assay.subjects.hub import (
    Repository,
    download_of,
    licence_named,
    licences_in,
    parse_source,
    read_card,
    read_configuration,
    read_licence_files,
    repository_in,
)
from assay.subjects.hub.cache import altered
from assay.subjects.hub.licences import _entries

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", Repository("org", "name")),
        ("gpt2", Repository("", "gpt2")),
        ("hf://org/name", Repository("org", "name")),
        (f"hf://org/name@{COMMIT}", Repository("org", "name", COMMIT)),
        ("org/name@main", Repository("org", "name", "main")),
        ("https://huggingface.co/org/name", Repository("org", "name")),
        ("https://huggingface.co/org/name/", Repository("org", "name")),
        (f"https://huggingface.co/org/name/tree/{COMMIT}", Repository("org", "name", COMMIT)),
        ("https://hf.co/org/name?library=x", Repository("org", "name")),
        ("org/раypal", Repository("org", "раypal")),  # noqa: RUF001  the point
        ("/mnt/models/llama", None),
        ("./model", None),
        ("../org/name", None),
        ("a/b/c", None),
        ("https://example.org/org/name", None),
        ("a sentence about models", None),
        ("", None),
        (None, None),
        (3, None),
        ("x" * 500, None),
    ],
)
def test_names(text: object, expected: Repository | None) -> None:
    assert repository_in(text) == expected


def test_a_declared_source_must_be_a_repository() -> None:
    assert parse_source("hf://org/name@main").pinned is False
    assert parse_source(f"org/name@{COMMIT}").purl == f"pkg:huggingface/org/name@{COMMIT}"
    for text in ("gpt2", "/mnt/x", "https://example.org/a/b"):
        with pytest.raises(ConfigError, match="not the name of a repository"):
            parse_source(text)


def card(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def test_a_card_is_read(tmp_path: Path) -> None:
    front = """---
license: [apache-2.0, mit]
license_name: ours
base_model:
- org/base
- org/base
base_model_relation: quantized
datasets: org/data
language: [en, no]
library_name: transformers
pipeline_tag: text-generation
tags: [one, 2, true, null, {a: b}]
model-index:
- name: x
---
# Title
--- not the end
"""
    found = read_card(card(tmp_path, front))
    assert found.present
    assert found.front_matter
    assert found.licences == ("apache-2.0", "mit")
    assert found.base_models == ("org/base",)
    assert found.relation == "quantized"
    assert found.datasets == ("org/data",)
    assert found.languages == ("en",)  # YAML 1.1 reads `no` as false
    assert found.tags == ("one", "2")
    assert (found.library, found.task) == ("transformers", "text-generation")


@pytest.mark.parametrize(
    "text", ["# no front matter\n", "", "---\nnever closed: 1\n", "text\n---\na: 1\n---\n"]
)
def test_a_card_without_front_matter(tmp_path: Path, text: str) -> None:
    found = read_card(card(tmp_path, text))
    assert found.present
    assert not found.front_matter


@pytest.mark.parametrize(
    "text", ["---\n---\n", "---\r\nlicense: mit\r\n---\r\n", "\ufeff---\nlicense: mit\n---"]
)
def test_a_card_with_an_odd_front_matter(tmp_path: Path, text: str) -> None:
    assert read_card(card(tmp_path, text)).front_matter


def test_no_card_is_no_card(tmp_path: Path) -> None:
    assert not read_card(tmp_path).present


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("a: &x [1]\nb: *x", "uses aliases"),
        ("license: mit\nlicense: apache-2.0", "stands twice"),
        ("a: !!python/object/apply:os.system [touch tripwire]", "not plain YAML"),
        ("a: [", "not plain YAML"),
        ("- a\n- b", "no mapping"),
        ("text", "no mapping"),
        ("? [a]\n: b", "not plain YAML"),
        ("a: 2024-99-99", "not plain YAML"),
        ("a: \x00", "not plain YAML"),
    ],
)
def test_a_hostile_front_matter_is_refused(tmp_path: Path, front: str, reason: str) -> None:
    with pytest.raises(SubjectError, match=reason):
        read_card(card(tmp_path, f"---\n{front}\n---\n"))


def test_a_deep_or_large_front_matter_is_refused(tmp_path: Path) -> None:
    with pytest.raises((LimitError, SubjectError), match=r"too large or too deep|not plain YAML"):
        read_card(card(tmp_path, f"---\na: {'[' * 5000}{']' * 5000}\n---\n"))
    with pytest.raises(LimitError, match="larger than"):
        read_card(card(tmp_path, "---\n" + "#" * (17 << 20) + "\n---\n"))


@given(st.text(max_size=200))
def test_no_front_matter_does_more_than_raise(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("card")
    (folder / "README.md").write_bytes(f"---\n{text}\n---\n".encode("utf-8", "surrogatepass"))
    try:
        read_card(folder)
    except SubjectError:
        return


def test_a_configuration_is_read(tmp_path: Path) -> None:
    config = {
        "_name_or_path": "org/base",
        "architectures": ["A", 3],
        "model_type": "llama",
        "auto_map": {"AutoModel": "modeling.A", "AutoTokenizer": ["tok.T", None], "X": "org/code--m.C"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"trust_remote_code": True}))
    adapter = {"base_model_name_or_path": "org/base", "revision": COMMIT}
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter))
    found, problems = read_configuration(tmp_path)
    assert problems == []
    assert (found.name, found.architectures, found.model_type) == ("org/base", ("A", ""), "llama")
    assert [(code.reference, code.elsewhere) for code in found.code] == [
        ("modeling.A", None),
        ("tok.T", None),
        ("org/code--m.C", Repository("org", "code")),
    ]
    assert found.trusted == ("tokenizer_config.json",)
    assert (found.base, found.base_revision) == ("org/base", COMMIT)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b'{"a":' * 100_000])
def test_a_broken_configuration_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    found, problems = read_configuration(tmp_path)
    assert found.code == ()
    assert [problem.subject for problem in problems] == ["config.json"]


def snapshot(root: Path, files: dict[str, bytes], revision: str = COMMIT, *, lfs: bool = True) -> Path:
    """A cache as huggingface_hub lays it out."""
    place = root / "models--org--name--x"
    folder = place / "snapshots" / revision
    folder.mkdir(parents=True)
    (place / "blobs").mkdir()
    for name, content in files.items():
        git = hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()
        digest = hashlib.sha256(content).hexdigest() if lfs and name.endswith(".safetensors") else git
        (place / "blobs" / digest).write_bytes(content)
        (folder / name).symlink_to(Path("../../blobs") / digest)
    return folder


FILES = {"config.json": b"{}", "model.safetensors": b"weights"}


def sha256(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def test_a_cache_tells_repository_revision_and_digests(tmp_path: Path) -> None:
    folder = snapshot(tmp_path, FILES)
    found = download_of(folder, list(FILES))
    assert found.repository == Repository("org", "name--x", COMMIT)
    assert found.revisions == (COMMIT,)
    assert list(altered(folder, found, sha256(folder))) == []
    for name in FILES:
        (folder / name).resolve().write_bytes(b"other")
    assert list(altered(folder, found, sha256(folder))) == list(FILES)


def test_a_folder_of_ones_own_tells_revision_and_digests(tmp_path: Path) -> None:
    metadata = tmp_path / ".cache" / "huggingface" / "download"
    metadata.mkdir(parents=True)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    git = hashlib.sha1(b"blob 2\0{}").hexdigest()
    (metadata / "config.json.metadata").write_text(f"{COMMIT}\n{git}\n1700000000.0\n")
    weights = hashlib.sha256(b"weights").hexdigest()
    (metadata / "model.safetensors.metadata").write_text(f"{COMMIT}\n{weights}\n1700000000.0\n")
    found = download_of(tmp_path, list(FILES))
    assert (found.repository, found.revisions) == (None, (COMMIT,))
    assert list(altered(tmp_path, found, sha256(tmp_path))) == []
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert list(altered(tmp_path, found, sha256(tmp_path))) == ["model.safetensors"]


@pytest.mark.parametrize("text", ["", "x", f"{COMMIT}", "main\nabc\n1\n", f"{COMMIT}\nnot-a-digest\n1\n"])
def test_odd_metadata_is_no_evidence(tmp_path: Path, text: str) -> None:
    metadata = tmp_path / ".cache" / "huggingface" / "download"
    metadata.mkdir(parents=True)
    (metadata / "config.json.metadata").write_text(text)
    assert download_of(tmp_path, ["config.json"]).digests == {}


def test_an_ordinary_folder_is_no_download(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    assert not download_of(tmp_path, ["config.json"]).known
    moved = tmp_path / "models--org--name" / "elsewhere" / COMMIT
    moved.mkdir(parents=True)
    assert not download_of(moved, []).known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("MIT", "MIT"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("GPL-3.0+", "GPL-3.0-or-later"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("openrail++", "CreativeML-OpenRAIL++-M"),
        ("creativeml-openrail-m", "CreativeML-OpenRAIL-M"),
        ("llama3.1", "Llama-3.1"),
        ("gemma", "Gemma"),
        ("other", None),
        ("", None),
    ],
)
def test_names_of_licences(text: str, expected: str | None) -> None:
    found = licence_named(text)
    assert (found.id if found else None) == expected


MIT = """MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction. The above copyright notice
and this permission notice shall be included in all copies.
"""


def test_texts_of_licences(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    (tmp_path / "LICENSE").write_text((root / "LICENSE").read_text())
    (tmp_path / "LICENSE.llama").write_text("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nVersion Release Date: …")
    (tmp_path / "COPYING").write_text(MIT)
    (tmp_path / "model-license.md").write_text("Gemma\nTerms of Use\n")
    (tmp_path / "licence-check.py").write_text(MIT)
    found, problems = read_licence_files(tmp_path)
    assert problems == []
    assert {name: [licence.id for licence in listed] for name, listed in found.items()} == {
        "COPYING": ["MIT"],
        "LICENSE": ["Apache-2.0"],
        "LICENSE.llama": ["Llama-3.1"],
        "model-license.md": ["Gemma"],
    }
    assert licences_in("") == ()


def test_the_data_file_is_sound() -> None:
    names: dict[str, str] = {}
    for entry in _entries():
        assert entry.licence.kind in {"permissive", "copyleft", "conditional", "non-commercial"}
        assert is_supported_id(entry.licence.id) == entry.licence.spdx, entry.licence.id
        for name in set(entry.names):
            assert names.setdefault(name, entry.licence.id) == entry.licence.id
        # Each text must be recognised as itself and as nothing else.
        text = "\n".join(entry.phrases)
        if text:
            assert entry.licence in licences_in(text), entry.licence.id
