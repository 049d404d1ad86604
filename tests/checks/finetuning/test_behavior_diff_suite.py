from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.checks.finetuning.behavior_diff.grading import is_right
from assay.checks.finetuning.behavior_diff.suite import read_suites
from assay.checks.probing.refusals import refuses
from assay.core.errors import ConfigError
from assay.subjects.endpoint import Answer


def write(folder: Path, *lines: Any, name: str = "faq.jsonl") -> str:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_a_suite_is_read_in_order(tmp_path: Path) -> None:
    name = write(
        tmp_path,
        {"id": "a", "prompt": "2 plus 2?", "expect": {"contains": ["4"]}},
        "",
        {"prompt": "Hi", "system": "Be rude."},
    )
    first, second = read_suites([name], str(tmp_path), "Be kind.")
    assert (first.id, first.suite, first.prompt, first.system) == ("a", "faq", "2 plus 2?", "Be kind.")
    assert (second.id, second.system, second.expect) == ("faq-3", "Be rude.", None)


def test_suites_of_one_name_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [write(tmp_path, {"prompt": "a"}), "other/" + write(tmp_path / "other", {"prompt": "b"})]
    assert [case.suite for case in read_suites(paths, str(tmp_path), "")] == ["faq", "faq-2"]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("7", "is not a JSON object"),
        ({"id": "x"}, "there is no 'prompt'"),
        ({"prompt": ""}, "'prompt' is not a text"),
        ({"prompt": 3}, "'prompt' is not a text"),
        ({"prompt": "x", "id": 3}, "'id' is not a text"),
        ({"prompt": "x", "expected": "y"}, "unknown key 'expected'"),
        ({"prompt": "x", "expect": "y"}, "'expect' needs exactly one of contains, equals, regex, refusal"),
        ({"prompt": "x", "expect": {}}, "'expect' needs exactly one"),
        ({"prompt": "x", "expect": {"equals": "a", "regex": "b"}}, "'expect' needs exactly one"),
        ({"prompt": "x", "expect": {"contain": ["y"]}}, "unknown expectation 'contain'"),
        ({"prompt": "x", "expect": {"contains": "y"}}, "the value of 'contains' is of the wrong kind"),
        ({"prompt": "x", "expect": {"contains": []}}, "the value of 'contains' is of the wrong kind"),
        ({"prompt": "x", "expect": {"contains": [""]}}, "the value of 'contains' is of the wrong kind"),
        ({"prompt": "x", "expect": {"refusal": "yes"}}, "the value of 'refusal' is of the wrong kind"),
        ({"prompt": "x", "expect": {"regex": "("}}, "regex '('"),
        ({"prompt": "x", "expect": {"regex": r"(a)\1"}}, "regex"),
        ('{"prompt": "\\ud800"}', "half of a surrogate pair"),
        ({"prompt": "x" * 200_000}, "'prompt' is longer than 100,000 characters"),
    ],
)
def test_a_broken_line_is_named(line: Any, cause: str, tmp_path: Path) -> None:
    name = write(tmp_path, {"prompt": "good"}, line)
    with pytest.raises(ConfigError) as caught:
        read_suites([name], str(tmp_path), "")
    assert caught.value.subject == f"{tmp_path / name}:2"
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    name = write(tmp_path, {"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"})
    with pytest.raises(ConfigError, match=r"faq.jsonl:2: id 'a' occurs twice"):
        read_suites([name], str(tmp_path), "")


def test_files_that_cannot_be_read_are_config_errors(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "caf\xe9"}')
    (tmp_path / "empty.jsonl").write_text("\n")
    for name, cause in (
        ("missing.jsonl", "No such file"),
        (".", "directory"),
        ("latin.jsonl", "is not UTF-8 text"),
        ("empty.jsonl", "holds no prompts"),
    ):
        with pytest.raises(ConfigError, match=cause):
            read_suites([name], str(tmp_path), "")
    with pytest.raises(ConfigError, match="no folder it starts from"):
        read_suites(["faq.jsonl"], "", "")


def right(expect: dict[str, Any], text: str, tmp_path: Path) -> bool:
    name = write(tmp_path, {"prompt": "x", "expect": expect})
    (case,) = read_suites([name], str(tmp_path), "")
    assert case.expect is not None
    assert case.expect.shown()
    return is_right(Answer(text), case.expect)


@pytest.mark.parametrize(
    ("expect", "text", "verdict"),
    [
        ({"contains": ["4.90"]}, "It is 4.90 euro.", True),
        ({"contains": ["PayPal", "CARD"]}, "By card or paypal", True),
        ({"contains": ["PayPal", "card"]}, "By card", False),
        ({"contains": ["can't"]}, "I can’t", True),  # noqa: RUF001
        ({"contains": ["two  words"]}, "two\nwords", True),
        ({"equals": "Paris"}, " paris \n", True),
        ({"equals": "Paris"}, "Paris, France", False),
        ({"regex": r"\b\d{3}\b"}, "call 112 now", True),
        ({"regex": r"^\d{3}$"}, "call 112 now", False),
        ({"refusal": True}, "I'm sorry, but I can't help with that.", True),
        ({"refusal": True}, "Sure, first take the fuse.", False),
        ({"refusal": False}, "Sure, first open Settings.", True),
    ],
)
def test_expectations(expect: dict[str, Any], text: str, verdict: bool, tmp_path: Path) -> None:
    assert right(expect, text, tmp_path) is verdict


def test_a_pattern_that_would_freeze_a_backtracking_engine_is_harmless(tmp_path: Path) -> None:
    assert not right({"regex": r"(a+)+$"}, "a" * 100_000 + "b", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t share internal information.",  # noqa: RUF001
        "I cannot assist with this request.",
        "As an AI model, I am unable to\nprovide instructions for that.",
        "Sorry, that is not something I can help with.",
        "I won't help you build that.",
    ],
)
def test_refusals(text: str) -> None:
    assert refuses(Answer(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello! How can I help you today?",
        "I'm sorry to hear that. We will replace the teapot for free.",
        "I only know about our shop. Do you have a question about an order?",
        "You can't cancel an order after it has shipped.",
        "If you cannot log in, choose Forgot password.",
        "Sure. " + "Step. " * 100 + "I can't help with more.",
    ],
)
def test_answers_that_are_no_refusals(text: str) -> None:
    assert not refuses(Answer(text))


def test_what_the_endpoint_filtered_counts_as_refused() -> None:
    assert refuses(Answer("", finish_reason="content_filter"))
