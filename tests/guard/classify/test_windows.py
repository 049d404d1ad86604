"""Windows over a text: none of it is left out, and they begin where something begins."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assay.embeddings.text_model import Tokens
from assay.guard.classify.windows import Window, cut

TEXTS = st.lists(st.sampled_from(["calm ", "river", "s. ", "\n", "! ", "so", "。", "x "]), max_size=300).map(
    "".join
)


def tokens(text: str) -> Tokens:
    """Two letters or one sign a token, as tokenizers cut words into pieces."""
    found = [match.span() for match in re.finditer(r"\w{1,2}|[^\w\s]", text)]
    return Tokens(list(range(len(found))), found)


def windows(text: str, room: int) -> list[Window]:
    return list(cut(text, tokens(text), room))


@given(TEXTS, st.integers(8, 60))
def test_every_token_is_in_a_window_and_neighbours_share_some(text: str, room: int) -> None:
    found = windows(text, room)
    all_ids = tokens(text).ids
    assert {number for window in found for number in window.ids} == set(all_ids)
    for before, after in pairwise(found):
        assert len(before.ids) == room
        shared = before.ids[-1] - after.ids[0] + 1
        assert room // 8 <= shared < max(room // 8 + 1, 3 * room // 8)
        assert after.ids[-1] > before.ids[-1]


@given(TEXTS, st.integers(8, 60))
def test_a_window_stands_where_its_tokens_do(text: str, room: int) -> None:
    offsets = tokens(text).offsets
    for window in windows(text, room):
        assert (window.start, window.end) == (offsets[window.ids[0]][0], offsets[window.ids[-1]][1])


def test_a_short_text_is_one_window_and_an_empty_one_none() -> None:
    assert windows("calm", 8) == [Window((0, 1), 0, 4)]
    assert windows("", 8) == []


def test_a_window_begins_with_a_sentence_where_one_is_near_else_with_a_word() -> None:
    sentence = "The river is calm. " * 20
    assert {sentence[window.start : window.start + 3] for window in windows(sentence, 40)} == {"The"}
    words = "abcdef " * 60
    assert {words[window.start : window.start + 6] for window in windows(words, 40)} == {"abcdef"}
    assert len(windows("abcdef" * 60, 40)) > 3  # no word begins anywhere
