"""Templates are read as Jinja reads them, and what Jinja refuses is told from what it takes."""

# ruff: noqa: E501  what is fed to the scan reads best as one line

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import LimitError
from assay.subjects.jinja import Block, Broken, Node, Output, Text, parse, walk

ATOMS = st.sampled_from(
    ["a", "'b'", '"c\\x5f"', "1", "2.5", "none", "[1, 'x']", "{'k': v}", "()", "(a, b)", "f(a, k=1)"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " ~ ", " * ", " ** ", " == ", " in ", " not in ", " and ", " or "]), inner)
        .map("".join).map("({})".format),
        st.tuples(inner, st.sampled_from(["|upper", "|join(', ')", ".name", "['key']", "[0]", "[1:]", "[::-1]", "[:2]",
                                          " is defined", " is not none", " is divisibleby 3", "(x)", "|map('a', b=1)"]))
        .map("".join),
        st.tuples(st.just("not "), inner).map("".join).map("({})".format),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
    ),
    max_leaves=8,
)  # fmt: skip
PIECES = st.one_of(
    st.sampled_from([
        "text ", "{# c #}", "{% if a %}", "{% elif b %}", "{% else %}", "{% endif %}", "{% for x in y %}", "{% endfor %}",
        "{% for k, v in d.items() if v %}", "{% for x in y recursive %}", "{%- set q = 1 -%}", "{% set n.a = [] %}",
        "{% set b %}", "{% endset %}", "{% macro m(a, b=2) %}", "{% endmacro %}", "{% call m(1) %}", "{% endcall %}",
        "{% filter upper %}", "{% endfilter %}", "{% raw %}{{{% endraw %}", "{% with z = 1, y = 2 %}", "{% endwith %}",
        "{% include 'a' ignore missing %}", "{% import 'a' as b %}", "{% from 'a' import b as c, d %}", "{{", "}}", "{% q",
    ]),
    EXPRESSIONS.map("{{{{ {} }}}}".format),
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(PIECES, max_size=8))
def test_what_jinja_takes_is_read_whole(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        jinja2.Environment(autoescape=False).parse(source)
    except jinja2.TemplateSyntaxError:
        parse(source)
        return
    assert parse(source).whole, source


def test_the_tree() -> None:
    template = parse("a{% if x == 'b' %}c{% else %}{{ d|e }}{% endif %}{# f #}")
    text, block, comment = template.items
    assert text == Text("a", 0)
    assert comment == Text(" f ", 49, comment=True)
    assert isinstance(block, Block)
    assert [len(branch.expressions) for branch in block.branches] == [1, 0]
    (output,) = block.branches[1].body
    assert isinstance(output, Output)
    assert output.node == Node("filter", 33, "e", children=(Node("name", 32, "d"),))


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("[1:]", [1, None]), ("[:2]", [None, 2]), ("[1:2]", [1, 2]), ("[:]", [None, None]), ("[::2]", [None, None, 2]),
        ("[1::2]", [1, None, 2]), ("[:4:2]", [None, 4, 2]), ("[1:4:2]", [1, 4, 2]), ("[1:4:]", [1, 4, None]),
    ],
)  # fmt: skip
def test_the_bounds_of_slices(text: str, bounds: list[int | None]) -> None:
    (output,) = parse(f"{{{{ a{text} }}}}").items
    assert isinstance(output, Output)
    assert [bound.value for bound in output.node.children[1].children] == bounds


def test_targets_in_brackets_and_parameters_of_calls() -> None:
    loop, call = parse("{% for (a, b) in c %}{% endfor %}{% call(d, e=1) f() %}{% endcall %}").items
    assert isinstance(loop, Block)
    assert isinstance(call, Block)
    assert loop.target
    assert call.target
    assert [node.name for node in loop.target.children] == ["a", "b"]
    assert [(node.kind, node.name) for node in call.target.children] == [("name", "d"), ("keyword", "e")]


def test_strings_are_those_that_python_sees() -> None:
    (output,) = parse(r"{{ '\x5f\137\u005f\n' 'b' }}").items
    assert isinstance(output, Output)
    assert output.node.value == "___\nb"


@pytest.mark.parametrize(
    "source", ["{{ a", "{% if a %}", "{{ a b }}", "{{ (a }}", "{% endif %}", "{{ '\\x5' }}", "{# c"]
)
def test_what_jinja_refuses_is_not_whole(source: str) -> None:
    with pytest.raises(jinja2.TemplateSyntaxError):
        jinja2.Environment(autoescape=False).parse(source)
    assert not parse(source).whole


def test_what_follows_a_broken_block_is_read() -> None:
    items = parse("{{ a b }}{{ x.y }}").items
    assert isinstance(items[0], Broken)
    assert isinstance(items[1], Output)
    assert [node.kind for node in walk(items[1].node)] == ["attr", "name"]


def test_more_blocks_than_anyone_writes_are_a_limit() -> None:
    with pytest.raises(LimitError):
        parse("{{a}}" * 200_001)
