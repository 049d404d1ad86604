"""Packages that only measure: nothing is learned from them, and few texts were read (DATA_CARD.md)."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator

from training.guard.example import UNKNOWN, Example
from training.guard.packages import constants, package, strings, value_of

SOURCES = frozenset(
    {
        "agentdojo", "agentdojo-harmless", "bastion", "bastion-harmless", "coding-agent",
        "coding-agent-harmless", "arth-singh", "hermes-jailbench", "jbb-harmless", "memories",
    }
)  # fmt: skip
_BASTION = {"jailbreak_persona": (UNKNOWN, 1.0)}
_JAILBENCH = {"IDENTITY_OVERRIDE": (UNKNOWN, 1.0), "PROMPT_EXTRACTION": (1.0, UNKNOWN)}
_LEAST = 80


def unseen(seed: int) -> Iterator[Example]:
    """All of it."""
    yield from _agentdojo(random.Random(seed))
    yield from _bastion()
    yield from _coding_agent()
    yield from _jailbreaks()
    yield from _harmless()


def _harmless_text(text: str, source: str, number: int) -> Example:
    return Example(text, 0.0, 0.0, UNKNOWN, source, f"{source}/{number}")


def _agentdojo(rng: random.Random) -> Iterator[Example]:
    """Its goals in its three common frames, in its own mails, files, calendars and offers."""
    dojo = package("agentdojo")
    documents = [
        text
        for name, _ in dojo.matching(r"agentdojo/data/suites/.*/include/.*\.yaml")
        for text in strings(dojo.yaml(name), _LEAST)
        if "{" not in text
    ]
    _, classes = constants(dojo.text("agentdojo/attacks/important_instructions_attacks.py"))
    frames = ["{goal}", "TODO: {goal}", str(classes["ImportantInstructionsAttack"]["_JB_STRING"])]
    number = 0
    for name, source in dojo.matching(r"agentdojo/default_suites/v1/\w+/(?:injection|user)_tasks\.py"):
        for own in constants(source)[1].values():
            for goal in [one for field in ("GOAL", "PROMPT") if isinstance(one := own.get(field), str)]:
                number += 1
                if "user_tasks" in name:
                    yield _harmless_text(goal, "agentdojo-harmless", number)
                    continue
                for frame in frames[1:]:
                    payload = (
                        frame.replace("{goal}", goal)
                        .replace("{user}", "Emma Johnson")
                        .replace("{model}", "GPT-4")
                    )
                    around = rng.choice(documents)
                    text = f"{around}\n{payload}"
                    span = (len(around) + 1, len(text))
                    yield Example(text, 1.0, UNKNOWN, UNKNOWN, "agentdojo", f"agentdojo/{number}", span)
    for at, text in enumerate(documents):
        yield _harmless_text(text, "agentdojo-harmless", 10_000 + at)


def _bastion() -> Iterator[Example]:
    for row in package("bastioncorpus").lines("bastioncorpus/corpus/injections.jsonl"):
        if row["label"] == "benign":
            yield Example(row["text"], 0.0, 0.0, UNKNOWN, "bastion-harmless", f"bastion/{row['id']}")
        else:
            labels = _BASTION.get(row["category"], (1.0, UNKNOWN))
            yield Example(row["text"], *labels, UNKNOWN, "bastion", f"bastion/{row['id']}")


def _coding_agent() -> Iterator[Example]:
    """Issues, comments and read-mes that order a coding agent about, and the same without."""
    for row in package("inspect-evals").json("inspect_evals/ipi_coding_agent/dataset/samples.json"):
        files = "\n".join(row["repo_files"].values())
        if row["is_benign"]:
            yield Example(
                row["issue_text"], 0.0, 0.0, UNKNOWN, "coding-agent-harmless", f"coding/{row['id']}"
            )
        else:
            text = row["issue_text"] if row["injection_vector"] == "issue_text" else files
            yield Example(text, 1.0, UNKNOWN, UNKNOWN, "coding-agent", f"coding/{row['id']}")


def _jailbreaks() -> Iterator[Example]:
    wish = "Explain how to pick the lock of a neighbour's door"
    for name, _ in package("pyrit").matching(r"pyrit/datasets/jailbreak/templates/Arth_Singh/.*\.yaml"):
        text = str(package("pyrit").yaml(name)["value"]).replace("{{ prompt }}", wish)
        yield Example(text, UNKNOWN, 1.0, UNKNOWN, "arth-singh", name)
    source = package("hermes-jailbench").text("hermes_jailbench/attacks.py")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Attack":
            given = {one.arg: one.value for one in node.keywords}
            text, kind = value_of(given["template"], {}), getattr(given["category"], "attr", "")
            labels = _JAILBENCH.get(kind)
            if labels and isinstance(text, str):
                text = re.sub(r"\{\w+\}", wish, text)
                yield Example(text, *labels, UNKNOWN, "hermes-jailbench", f"hermes-jailbench/{node.lineno}")


def _harmless() -> Iterator[Example]:
    rows = package("blastcontain-drill").rows("blastcontain_drill/corpus/data/jbb/benign-behaviors.csv")
    for number, row in enumerate(rows):
        yield _harmless_text(row["Goal"], "jbb-harmless", number)
    memories = package("inspect-evals").lines(
        "inspect_evals/persistbench/benchmark_samples/beneficial_samples.jsonl"
    )
    for number, one in enumerate(memories):
        yield _harmless_text("\n".join([one["query"], *one["memories"]]), "memories", number)
