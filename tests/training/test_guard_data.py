"""What the guard's encoder learns from: no text on both sides, nothing of what only measures."""

import random
import re
from itertools import combinations

import pytest
from training.guard import dataset, measured, sources
from training.guard.example import UNKNOWN
from training.guard.generators.gibberish import gibberish
from training.guard.generators.grammar import Grammar, data, languages
from training.guard.generators.surroundings import Surroundings
from training.guard.metrics import auc, recall_at, threshold_at

HERE = (sources.shared_data() / "guard").is_dir()
needs_data = pytest.mark.skipif(not HERE, reason="no folder of shared data")


@pytest.fixture(scope="module")
def split() -> dataset.Split:
    return dataset.build(0, each=4)


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


@needs_data
def test_no_text_and_no_group_is_in_two_parts(split: dataset.Split) -> None:
    for one, other in combinations((split.train, split.validation, split.unseen), 2):
        assert one
        assert other
        assert not {_plain(text.text) for text in one} & {_plain(text.text) for text in other}
        assert not {text.group for text in one} & {text.group for text in other}


@needs_data
def test_no_source_that_only_measures_is_learned_from_or_chosen_by(split: dataset.Split) -> None:
    seen = {one.source for one in (*split.train, *split.validation)}
    assert not seen & (dataset.UNSEEN | dataset.UNSEEN_PACKAGED)
    made = {one.source for one in split.unseen} - dataset.UNSEEN_PACKAGED
    assert made == dataset.UNSEEN | {"mitre-frr"}
    assert {one.source for one in split.validation} <= {one.source for one in split.train}


@needs_data
def test_nothing_that_measures_is_learned(split: dataset.Split) -> None:
    measures = {_plain(one.text) for one in measured.dev()}
    learned = {_plain(one.text) for one in (*split.train, *split.validation)}
    assert len(measures) > 1200
    assert not {text for text in measures & learned if len(text) > 40}


@needs_data
def test_labels_are_known_or_say_that_they_are_not(split: dataset.Split) -> None:
    for one in split.train:
        assert all(label == UNKNOWN or 0 <= label <= 1 for label in one.labels)
    roleplay = [one for one in split.train if one.source == "in-the-wild-roleplay"]
    assert roleplay
    assert all(one.jailbreak == 0 for one in roleplay)


@needs_data
def test_the_same_seed_gives_the_same_texts(split: dataset.Split) -> None:
    again = dataset.build(0, each=4)
    assert [one.text for one in again.train[:500]] == [one.text for one in split.train[:500]]


def test_a_payload_stands_where_it_is_said_to() -> None:
    around = Surroundings(random.Random(0), ["A mail. It ends here."])
    for _ in range(200):
        text, (start, end) = around.plant("obey me")
        assert text[start:end] == "obey me"
        assert "¤" not in text + around.empty()


@pytest.mark.parametrize("name", ["injection", "jailbreak", "benign"])
def test_every_template_expands_to_the_end(name: str) -> None:
    grammar = Grammar(random.Random(1), {"filler": data("carriers")["filler"]})
    for templates in data(name).values():
        for template in templates:
            for _ in range(20):
                text = grammar.expand(template)
                assert not re.search(r"\$[a-z]|[¤¦⟦⟧]", text), template


def test_every_template_of_every_language_expands_to_the_end() -> None:
    assert len(languages()) > 15
    for kinds in languages().values():
        grammar = Grammar(random.Random(1), kinds.get("slots"))
        for kind in ("injection", "jailbreak", "benign"):
            for template in kinds.get(kind, ()):
                for _ in range(10):
                    text = grammar.expand(template)
                    assert not re.search(r"\$[a-z]|[¤¦⟦⟧{}]", text), template


def test_gibberish_is_as_its_seed_says() -> None:
    assert gibberish(random.Random(5)) == gibberish(random.Random(5))
    assert gibberish(random.Random(5)) != gibberish(random.Random(6))


def test_measures_on_scores_worked_out_by_hand() -> None:
    import numpy as np  # noqa: PLC0415

    good, bad = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.35, 0.4, 0.9])
    assert auc(bad, good) == pytest.approx((3 + 3.5 + 4) / 12)
    assert threshold_at(good, 0.01) == 0.4
    assert recall_at(bad, good, 0.01) == pytest.approx(1 / 3)
