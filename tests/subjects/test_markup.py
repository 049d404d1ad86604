"""What an XML document declares is told without following any of it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import LimitError
from assay.subjects.markup import Element, Entity, MarkupError, read_elements, read_prolog
from assay.subjects.markup.prolog import MAX_EXPANSION


def _elements(text: str) -> list[Element]:
    seen: list[Element] = []
    read_elements(text, seen.append, lambda _: None)
    return seen


def test_a_prolog_is_read_past_comments_and_instructions() -> None:
    text = (
        "<?xml version='1.0' encoding='UTF-8'?><!-- a ]> --><?pi x?>\n"
        "<!DOCTYPE r PUBLIC \"p\" 's' [\n<!-- <!ENTITY no 'x'> -->\n<!ENTITY a 'one]'>\n"
        '<!ENTITY b "&a;&a;">'
        "<!ENTITY % c SYSTEM 'file:///etc/passwd'><!ENTITY d PUBLIC 'p' 'http://x'>]><r/>"
    )
    prolog = read_prolog(text)
    assert (prolog.encoding, prolog.public, prolog.system, prolog.complete) == ("utf-8", "p", "s", True)
    assert prolog.entities == (
        Entity("a", False, "one]", ""),
        Entity("b", False, "&a;&a;", ""),
        Entity("c", True, "", "file:///etc/passwd"),
        Entity("d", False, "", "http://x"),
    )
    assert prolog.expansion == 6 + 4 + 4


def test_growth_is_computed_and_not_done() -> None:
    lines = ["<!ENTITY e0 'lol'>"] + [f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 30)]
    assert read_prolog(f"<!DOCTYPE r [{''.join(lines)}]><r/>").expansion == MAX_EXPANSION
    cycle = "<!DOCTYPE r [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><r/>"
    assert read_prolog(cycle).expansion == MAX_EXPANSION


@pytest.mark.parametrize(
    "text", ["<!DOCTYPE r [<!ENTITY a 'x>", "<!DOCTYPE r [<!--", "<!DOCTYPE r SYSTEM", "<!DOCTYPE r ["]
)
def test_a_document_type_without_end_is_not_complete(text: str) -> None:
    assert not read_prolog(text).complete


@pytest.mark.parametrize("mark", ["<!--", "<?", '"', "<!ENTITY a ", "<!ENTITY a SYSTEM '"])
def test_many_open_marks_are_read_in_linear_time(mark: str) -> None:
    read_prolog("<!DOCTYPE r [" + mark * 200_000)


def test_elements_come_with_what_is_around_them() -> None:
    inner, outer = _elements("<a x='1'><b>t<!-- c -->u</b></a>")
    assert inner == Element("b", {}, "tu", ("a",), "a")
    assert (outer.name, dict(outer.attributes), outer.parents) == ("a", {"x": "1"}, ())


def test_nothing_outside_is_fetched() -> None:
    with pytest.raises(MarkupError):
        _elements("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>")
    with pytest.raises(LimitError):
        _elements("<a>" * 1001)


@settings(max_examples=200, deadline=None)
@given(text=st.text("<>!?[]&;%'\"= aE-DOCTYPENIXMLSYtxm", max_size=60).map("<!DOCTYPE r [".__add__))
def test_no_text_raises_anything_else(text: str) -> None:
    read_prolog(text)
    with contextlib.suppress(MarkupError, LimitError):
        _elements(text)
