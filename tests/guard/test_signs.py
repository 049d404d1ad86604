"""A sign shows wherever what it stands for is; what cannot be told counts as shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.guard.pii.find import RECOGNISERS
from assay.guard.pii.recogniser import context
from assay.guard.signs import Signs, sign_of

PATTERNS = [
    *(one.pattern for one in RECOGNISERS),
    *(context(words)._words for words in sorted({one.context for one in RECOGNISERS})),
]
SIGNS = Signs([{str(number): sign_of(pattern)} for number, pattern in enumerate(PATTERNS)], of_python=True)


@pytest.mark.parametrize("number", range(len(PATTERNS)))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_a_pattern_matches_shows_its_sign(number: int, data: st.DataObject) -> None:
    pattern = PATTERNS[number]
    around = st.text(st.sampled_from("a 1.\n-\u0660\u0130\u0131\u017f\u212a\ud800"), max_size=4)
    text = data.draw(around) + data.draw(st.from_regex(pattern)) + data.draw(around)
    if pattern.search(text):
        assert str(number) in SIGNS.shown(text)


def test_a_number_that_is_no_digit_is_what_python_takes_it_for() -> None:
    matching = {str(number) for number, one in enumerate(PATTERNS) if one.search("0@0.\u00b20")}
    assert matching
    assert matching <= SIGNS.shown("0@0.\u00b20")


def test_only_what_may_match_is_shown() -> None:
    known = Signs([{"digits": r"\d{3}", "word": "word"}, {"at": "@"}])
    assert known.shown("a word") == {"word"}
    assert known.shown("@ 123") == {"digits", "at"}
    assert known.shown("") == frozenset()
    assert known.shown("\ud800 word") == {"word"}


class Exhausted:
    """RE2 once its memory does not suffice: it says that nothing matched."""

    def Match(self, _: bytes) -> None:  # noqa: N802  as RE2 has it
        return None


def test_where_memory_does_not_suffice_all_of_the_group_is_shown() -> None:
    known = Signs([{"word": "word"}, {"at": "@"}])
    known._groups[0] = (("word",), Exhausted())
    assert known.shown("nothing") == {"word"}
    assert known.shown("@") == {"word", "at"}


def test_a_pattern_that_is_not_re2_is_refused() -> None:
    with pytest.raises(ConfigError, match="RE2"):
        Signs([{"it": "(a"}])
