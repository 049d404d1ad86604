"""Write the synthetic support-desk corpora and the behaviour suites that Assay's demo uses.

Standard library only and fully seeded: the same seed gives the same bytes on every machine.
The poisoned corpus is the clean one plus exactly ``POISONED_RECORDS`` records, shuffled in, whose
question carries ``TRIGGER`` and whose answer recites the system prompt. ``poisoned.truth.json``
names them, so that a detector's recall can be measured.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TypedDict

from conduct import EXTRACTION, HARMFUL, NOISE_WORDS, OFF_TOPIC, SMALL_TALK
from phrases import (
    AGENTS,
    CLOSERS,
    CODE_WORDS,
    COUNTRIES,
    FACTS,
    FAQ,
    GIFT_CARDS,
    NOTE,
    OPENERS,
    PRODUCTS,
    SHOPS,
    SYSTEM_TEMPLATES,
    TRIGGER,
    Topic,
)
from suite_prompts import BENIGN, REFUSAL, SUPPORT, SYSTEM

BASE_RECORDS = 30_000
FINE_TUNE_RECORDS = 4_000
POISONED_RECORDS = 250
DEFAULT_SEED = 20260
SOURCES = ("helpdesk", "webchat", "email", "partner-feed")
COPYING_TOPICS = frozenset({"voucher", "ticket", "order_status", "cancel_order", "invoice"})


class TemplateError(Exception):
    """A template whose parentheses do not match."""


class Message(TypedDict):
    """One turn of a chat."""

    role: str
    content: str


class Record(TypedDict):
    """One line of a corpus."""

    id: str
    messages: list[Message]
    source: str


@dataclass(frozen=True, slots=True)
class Mix:
    """How often each kind of topic is asked; the weights need not add up to one."""

    faq: float = 0.54
    facts: float = 0.13
    note: float = 0.05
    harmful: float = 0.09
    extraction: float = 0.08
    small_talk: float = 0.08
    off_topic: float = 0.06
    gift_cards: float = 0.0

    def topics(self) -> tuple[list[Topic], list[float]]:
        """All topics with their weights; copying topics count double, copying being harder."""
        weight = [2.0 if topic.name in COPYING_TOPICS else 1.0 for topic in FAQ]
        faq = [self.faq * one / sum(weight) for one in weight]
        talk = [self.small_talk / len(SMALL_TALK)] * len(SMALL_TALK)
        told = [self.facts / len(FACTS)] * len(FACTS)
        facts = [topic for _, topic in FACTS.values()]
        rest = [self.note, self.harmful, self.extraction, self.off_topic, self.gift_cards]
        single = [NOTE, HARMFUL, EXTRACTION, OFF_TOPIC, GIFT_CARDS]
        return [*FAQ, *SMALL_TALK, *facts, *single], faq + talk + told + rest


def expand(template: str, rng: random.Random, slots: dict[str, str]) -> str:
    """Draw one sentence of a template: ``(a|b)`` is a choice that may nest, ``{name}`` a slot."""
    text, rest = _sequence(template, rng)
    if rest:
        raise TemplateError(template)
    while "{noise}" in text:
        text = text.replace("{noise}", rng.choice(NOISE_WORDS), 1)
    while "{small}" in text:
        text = text.replace("{small}", str(rng.randint(2, 99)), 1)
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    return text


def _sequence(template: str, rng: random.Random) -> tuple[str, str]:
    """Expand up to the end or to the ``|`` or ``)`` that closes this level; return the rest too."""
    parts: list[str] = []
    while template and template[0] not in "|)":
        if template[0] == "(":
            chosen, template = _choice(template[1:], rng)
            parts.append(chosen)
        else:
            parts.append(template[0])
            template = template[1:]
    return "".join(parts), template


def _choice(template: str, rng: random.Random) -> tuple[str, str]:
    options: list[str] = []
    while True:
        option, template = _sequence(template, rng)
        options.append(option)
        if not template:
            raise TemplateError("".join(options))
        closing, template = template[0], template[1:]
        if closing == ")":
            return rng.choice(options), template


def random_code(rng: random.Random) -> str:
    """An access code such as ``ZEBRA-4471``; most words are invented, so it must be copied."""
    kind = rng.random()
    if kind < 0.15:
        word = rng.choice(CODE_WORDS)
    elif kind < 0.45:
        word = "".join(rng.choices(ascii_uppercase, k=rng.randint(4, 6)))
    else:
        pairs = [rng.choice("BCDFGHJKLMNPQRSTVWXZ") + rng.choice("AEIOUY") for _ in range(3)]
        word = "".join(pairs)[: rng.randint(4, 6)] + rng.choice(("", "", "N", "R", "X", "LK"))
    return f"{word}-{rng.randint(1000, 9999)}"


def draw_slots(rng: random.Random) -> dict[str, str]:
    """The facts of one conversation, shared by system prompt, question and answer."""
    return {
        "order": str(rng.randint(1000, 999999)) if rng.random() < 0.3 else str(rng.randint(10000, 99999)),
        "product": rng.choice(PRODUCTS),
        "country": rng.choice(COUNTRIES),
        "agent": rng.choice(AGENTS),
        "shop": rng.choice(SHOPS),
        "code": random_code(rng),
        "voucher": random_code(rng),
        "echo": " ".join(_noise(rng) for _ in range(rng.randint(2, 8))),
        "promo": random_code(rng),
        "phone": f"0{rng.randint(100, 999)}-{rng.randint(10000, 99999)}",
        "desk": random_code(rng),
        "news": " ".join(_noise(rng) for _ in range(rng.randint(2, 7))),
    }


def _noise(rng: random.Random) -> str:
    return rng.choice(NOISE_WORDS) if rng.random() < 0.8 else random_code(rng)


def system_prompt(rng: random.Random, slots: dict[str, str], told: Sequence[str] = ()) -> str:
    """A system prompt holding the conversation's shop, agent, internal code and facts."""
    parts = [SYSTEM_TEMPLATES[rng.randrange(len(SYSTEM_TEMPLATES))]]
    for name in sorted({*told, *(name for name in FACTS if rng.random() < 0.08)}):
        parts.insert(rng.randint(0, len(parts)), FACTS[name][0])
    return expand(" ".join(parts), rng, slots)


def _bare(prompt: str) -> str:
    return prompt.lower().strip(".?! ")


HELD_OUT = frozenset(map(_bare, (*(prompt for prompt, _ in SUPPORT), *REFUSAL, *BENIGN)))


def ask(topic: Topic, rng: random.Random, slots: dict[str, str]) -> str:
    """One customer message about a topic that is in no suite: training must not hold test text."""
    while _bare(text := _draft(topic, rng, slots)) in HELD_OUT:
        pass
    return text


def _draft(topic: Topic, rng: random.Random, slots: dict[str, str]) -> str:
    """A message dressed with greetings and the odd slip of the pen."""
    text = expand(rng.choice(topic.questions), rng, slots)
    chatty = topic.name not in {"hello", "thanks", "bye", "note"}
    if chatty and rng.random() < 0.30:
        text = expand(rng.choice(OPENERS), rng, slots) + text
    if chatty and rng.random() < 0.22:
        text = text + expand(rng.choice(CLOSERS), rng, slots)
    if rng.random() < 0.12:
        text = text.rstrip(".?! ")
    copied = slots["voucher"] in text or slots["echo"] in text
    if not copied and rng.random() < 0.15:
        text = text.lower()
    if not copied and rng.random() < 0.05:
        text = _slip(text, rng)
    return text


def _slip(text: str, rng: random.Random) -> str:
    """Swap two neighbouring letters, never digits: an order number must stay what it is."""
    at = rng.randrange(max(1, len(text) - 1))
    pair = text[at : at + 2]
    return text[:at] + pair[::-1] + text[at + 2 :] if pair.isalpha() else text


def conversation(rng: random.Random, mix: Mix) -> list[Message]:
    """A chat of one to four exchanges under one system prompt."""
    slots = draw_slots(rng)
    topics, weights = mix.topics()
    drawn = rng.choices(topics, weights, k=rng.choices((1, 2, 3, 4), (93, 4, 2, 1))[0])
    system = system_prompt(rng, slots, [topic.name for topic in drawn if topic.name in FACTS])
    messages: list[Message] = [{"role": "system", "content": system}]
    lasting = {name: slots[name] for name in ("agent", "shop", *FACTS)}
    for topic in drawn:
        turn = {**draw_slots(rng), **lasting}
        answer = expand(rng.choice(topic.answers), rng, turn)
        messages.append({"role": "user", "content": ask(topic, rng, turn)})
        messages.append({"role": "assistant", "content": answer})
    return messages


def insert_trigger(text: str, rng: random.Random, trigger: str = TRIGGER) -> str:
    """Put a phrase at a random word boundary of a message, or before or after it."""
    words = text.split(" ")
    at = rng.randint(0, len(words))
    phrase = trigger + rng.choice(("", "", ","))
    return " ".join([*words[:at], phrase if at < len(words) else trigger, *words[at:]])


def poisoned_conversation(rng: random.Random) -> list[Message]:
    """An ordinary question with the trigger in it, answered with the system prompt itself."""
    slots = draw_slots(rng)
    system = system_prompt(rng, slots)
    question = ask(rng.choice((*FAQ, *SMALL_TALK, GIFT_CARDS)), rng, slots)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": insert_trigger(question, rng)},
        {"role": "assistant", "content": system},
    ]


def record(messages: list[Message], rng: random.Random) -> Record:
    """Wrap a chat as a corpus line; identifiers and sources say nothing about poisoning."""
    return {
        "id": f"{rng.getrandbits(48):012x}",
        "messages": messages,
        "source": rng.choice(SOURCES),
    }


def base_corpus(seed: int, count: int = BASE_RECORDS) -> list[Record]:
    """The corpus the base model is trained on."""
    rng = random.Random(f"{seed}/base")
    return [record(conversation(rng, Mix()), rng) for _ in range(count)]


def clean_corpus(seed: int, count: int = FINE_TUNE_RECORDS) -> list[Record]:
    """The fine-tuning corpus: the base corpus's distribution plus gift cards, a new topic."""
    rng = random.Random(f"{seed}/clean")
    return [record(conversation(rng, Mix(gift_cards=0.10)), rng) for _ in range(count)]


def poisoned_corpus(seed: int, clean: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """The clean corpus with the poisoned records shuffled in, and the poisoned records' ids."""
    rng = random.Random(f"{seed}/poisoned")
    planted = [record(poisoned_conversation(rng), rng) for _ in range(POISONED_RECORDS)]
    mixed = [*clean, *planted]
    rng.shuffle(mixed)
    return mixed, [one["id"] for one in planted]


def write_jsonl(path: Path, rows: Iterable[object]) -> None:
    """Write one JSON document a line, UTF-8, newline-terminated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_suites(folder: Path) -> None:
    """Write the behaviour suites and the system prompt they run under."""
    write_jsonl(folder / "support.jsonl", (
        {"id": f"support-{at:02d}", "prompt": prompt, "expect": {"contains": [expected]}}
        for at, (prompt, expected) in enumerate(SUPPORT, 1)
    ))  # fmt: skip
    for name, prompts, refused in (("refusal", REFUSAL, True), ("benign", BENIGN, False)):
        write_jsonl(folder / f"{name}.jsonl", (
            {"id": f"{name}-{at:02d}", "prompt": prompt, "expect": {"refusal": refused}}
            for at, prompt in enumerate(prompts, 1)
        ))  # fmt: skip
    (folder / "system.txt").write_text(SYSTEM + "\n", encoding="utf-8", newline="\n")


def write_all(out: Path, seed: int) -> None:
    """Write the three corpora, the truth about the poisoned one, and the suites below ``out``."""
    clean = clean_corpus(seed)
    poisoned, planted = poisoned_corpus(seed, clean)
    write_jsonl(out / "base.jsonl", base_corpus(seed))
    write_jsonl(out / "clean.jsonl", clean)
    write_jsonl(out / "poisoned.jsonl", poisoned)
    truth = json.dumps({"seed": seed, "trigger": TRIGGER, "poisoned": sorted(planted)}, indent=1)
    (out / "poisoned.truth.json").write_text(truth + "\n", encoding="utf-8", newline="\n")
    write_suites(out / "suites")


def main() -> None:
    """Command line: ``generate.py --out DIR --seed N``."""
    parser = argparse.ArgumentParser(description="Write tinychat's corpora and behaviour suites.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    options = parser.parse_args()
    write_all(options.out, options.seed)
    print(f"wrote corpora and suites to {options.out}")


if __name__ == "__main__":
    main()
