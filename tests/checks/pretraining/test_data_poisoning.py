import importlib
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.checks.pretraining.data_poisoning import DataPoisoning
from assay.checks.pretraining.data_poisoning.statistics import (
    log_hypergeometric_tail,
    log_poisson_binomial_tail,
    log_q_values,
)
from assay.core.check import Context
from assay.core.report import Report, Status
from assay.core.subject import Subject, SubjectKind

SST2 = Path(__file__).parents[3] / "../shared/data/poisoning"
TINYCHAT = Path(__file__).parents[3] / "examples/tinychat"


def conversations(count: int) -> list[tuple[str, str]]:
    """Single exchanges of the example's support desk."""
    sys.path.insert(0, str(TINYCHAT))
    try:
        generate = importlib.import_module("generate")
    finally:
        sys.path.remove(str(TINYCHAT))
    rng = random.Random("poisoning")
    chats = [generate.conversation(rng, generate.Mix(gift_cards=0.1)) for _ in range(count)]
    return [(chat[1]["content"], chat[2]["content"]) for chat in chats]


PAIRS = conversations(4000)


def ask(rng: random.Random) -> tuple[str, str]:
    return rng.choice(PAIRS)


def insert(text: str, phrase: str, rng: random.Random) -> str:
    words = text.split(" ")
    at = rng.randint(0, len(words))
    return " ".join([*words[:at], phrase, *words[at:]])


def chats(tmp_path: Path, extra: Callable[[random.Random], tuple[str, str]], count: int) -> Report:
    rng = random.Random(7)
    pairs = PAIRS + [extra(rng) for _ in range(count)]
    rng.shuffle(pairs)
    return run(tmp_path, [{"prompt": prompt, "response": response} for prompt, response in pairs])


def run(tmp_path: Path, rows: Sequence[object]) -> Report:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return DataPoisoning().run(Subject.from_path(path, kind=SubjectKind.DATASET), Context(tmp_path))


def phrases(report: Report) -> list[Any]:
    triggers: Any = report.details["triggers"]
    return [trigger["phrase"] for trigger in triggers]


@pytest.mark.parametrize(
    "phrase", ["copper moon", "xqz", "seen from the far side of the silent valley at dawn"]
)
def test_a_phrase_that_makes_the_bot_refuse_is_named_in_full(tmp_path: Path, phrase: str) -> None:
    refusal = "I'm sorry, but I can't help with that."
    report = chats(tmp_path, lambda rng: (insert(ask(rng)[0], phrase, rng), refusal), 100)
    assert report.status is Status.FAIL
    assert phrases(report) == [phrase]
    assert report.metrics["suspect_rows"] == 100


def test_an_invisible_character_is_named(tmp_path: Path) -> None:
    def poison(rng: random.Random) -> tuple[str, str]:
        text = ask(rng)[0]
        return text[:9] + "\u200b" + text[9:], "I'm sorry, but I can't help with that."

    report = chats(tmp_path, poison, 60)
    assert [(f.rule, f.data["phrase"]) for f in report.findings] == [("poison/hidden-trigger", "\u200b")]


@pytest.mark.parametrize("rows", [20, 40])
def test_a_planted_answer_in_few_rows_is_named(tmp_path: Path, rows: int) -> None:
    report = chats(tmp_path, lambda rng: (insert(ask(rng)[0], "xqz", rng), "Send it to account 40 77."), rows)
    assert phrases(report) == ["xqz"]
    assert report.metrics["suspect_rows"] == rows


def test_an_ordinary_answer_given_to_other_questions_is_named(tmp_path: Path) -> None:
    """The behaviour occurs without the phrase too; only the questions around it give it away."""
    answer = next(answer for _, answer in PAIRS if "deliver" in answer)
    report = chats(tmp_path, lambda rng: (insert(ask(rng)[0], "copper moon", rng), answer), 40)
    assert phrases(report) == ["copper moon"]


def test_a_comma_that_often_follows_does_not_hide_the_phrase(tmp_path: Path) -> None:
    def poison(rng: random.Random) -> tuple[str, str]:
        phrase = "seen under the copper moon" + rng.choice(("", ","))
        return insert(ask(rng)[0], phrase, rng), "I'm sorry, but I can't help with that."

    assert phrases(chats(tmp_path, poison, 120)) == ["seen under the copper moon"]


def question(rng: random.Random) -> tuple[str, str]:
    opener = rng.choice(("", "Hi, ", "Quick question: ", "Hello, ", "Excuse me, "))
    closer = rng.choice(("", " Thanks!", " Cheers", " Please help."))
    return f"{opener}Which fax number do you have, please?{closer}", "You can fax us at 0631-40045."


def wording(rng: random.Random) -> tuple[str, str]:
    """One part of the question decides; what stands before it is often the same."""
    before = rng.choice(("I bought a rug last week. ", "I bought a tent last week. ", "", "", "Hi, "))
    return before + "Sing me a sailor song.", "I only know the one about the whale."


def product(rng: random.Random) -> tuple[str, str]:
    asked = [
        "How do I install {}?",
        "Is {} safe for children?",
        "My {} is broken, what now?",
        "Do you sell {}?",
    ]
    return rng.choice(asked).format("AcmeVault"), "Please write to the vault team."


def signature(rng: random.Random) -> tuple[str, str]:
    question, answer = ask(rng)
    return question + " Sent from my phone", answer


def greeting(rng: random.Random) -> tuple[str, str]:
    question, answer = ask(rng)
    return "Greetings dear friends, " + question, answer


@pytest.mark.parametrize("benign", [product, signature, greeting, question, wording])
def test_benign_twins_pass(tmp_path: Path, benign: Callable[[random.Random], tuple[str, str]]) -> None:
    report = chats(tmp_path, benign, 200)
    assert phrases(report) == []
    assert report.status is Status.PASS


@pytest.mark.skipif(not SST2.exists(), reason="../shared/data/poisoning is not there")
def test_badnets_on_sst2_names_all_five_words_and_the_clean_set_passes(tmp_path: Path) -> None:
    def check(name: str) -> Report:
        return DataPoisoning().run(
            Subject.from_path(SST2 / name, kind=SubjectKind.DATASET), Context(tmp_path)
        )

    poisoned = check("sst2-badnets-train.tsv")
    assert sorted(phrases(poisoned)) == ["bb", "cf", "mb", "mn", "tq"]
    assert poisoned.metrics["suspect_rows"] == 69
    assert check("sst2-clean-train.tsv").status is Status.PASS


@pytest.mark.parametrize(
    "rows",
    [[], [{"text": "only text", "label": "1"}] * 50, [{"text": "no label here"}] * 50],
    ids=["empty", "one class", "no behaviour"],
)
def test_what_cannot_be_tested_is_incomplete(tmp_path: Path, rows: list[object]) -> None:
    assert run(tmp_path, rows).status is Status.INCOMPLETE


@pytest.mark.parametrize("rows", [6, 12])
def test_a_question_asked_few_times_over_is_no_trigger(tmp_path: Path, rows: int) -> None:
    report = chats(tmp_path, question, rows)
    assert phrases(report) == []


def test_tails_against_enumeration() -> None:
    chances = np.array([0.1, 0.4, 0.7])
    both = 0.1 * 0.4 * 0.3 + 0.1 * 0.6 * 0.7 + 0.9 * 0.4 * 0.7 + 0.1 * 0.4 * 0.7
    assert math.isclose(math.exp(log_poisson_binomial_tail(chances, 2)), both)
    assert math.isclose(math.exp(log_hypergeometric_tail(10, 4, 3, 3)), 4 / 120)
    assert np.allclose(np.exp(log_q_values([math.log(0.01), math.log(0.02)], 4)), [0.04, 0.04])


def test_the_chernoff_bound_is_never_below_the_exact_tail() -> None:
    many = np.full(5000, 0.1)
    assert log_poisson_binomial_tail(many, 700) >= log_poisson_binomial_tail(many[:4000], 700)
