from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.reports.plain import markdown_code, markdown_text, visible


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("line\nnext\ttab\r", "line\\nnext\\ttab\\r"),
        ("\u3164", "\\u3164"),
        ("\ud800", "\\ud800"),
        ("\x9b2J", "\\x9b2J"),
        ("no\u00a0break", "no break"),
    ],
)
def test_what_would_not_show_is_written_out(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


def test_ordinary_text_of_any_language_stays() -> None:
    text = "naïve Grüße 日本語 العربية 🙂 a b"
    assert visible(text) == text


def test_kept_characters_and_limit() -> None:
    assert visible("a\nb", keep="\n") == "a\nb"
    assert visible("abcdef", limit=4) == "abc…"


@given(st.text())
def test_nothing_unprintable_is_left(text: str) -> None:
    assert visible(text).isprintable()


@given(st.text())
def test_inline_markdown_holds_no_markup(text: str) -> None:
    for shown in (markdown_text(text), markdown_code(text).removeprefix("<code>").removesuffix("</code>")):
        assert not set("`|<>*_[]\n\\") & set(shown)


def test_mentions_and_links_are_broken() -> None:
    shown = markdown_text("@admin see http://evil.example and www.evil.example")
    assert "@admin" not in shown
    assert "http://" not in shown
    assert "www.evil" not in shown
