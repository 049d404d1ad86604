"""What is worked out of a template holds what Jinja makes of it, however it is put together."""

# ruff: noqa: E501  lists of pieces read best in full lines

from __future__ import annotations

import jinja2
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.texts.templates.assignments import assignments
from assay.checks.packaging.artifact_scan.texts.templates.tree import expressions, visit
from assay.checks.packaging.artifact_scan.texts.templates.values import COMPUTED, EDGED
from assay.subjects.jinja import parse, walk

ATOMS = st.sampled_from([
    "'_'", "'__cl'", "'ass__'", "'role'", "''", "'a-b'", "'<b>'", "1", "0", "-2", "3", "none", "true", "nope", "m.role",
    "['_', 'a']", "['x']", "[]", "('a', '_')", "{'k': '_', 'a': 'x'}", "{}", "{}.a", "'%s_'", "'%(k)s'", "'{}x'", "messages",
])  # fmt: skip
AFTER = st.sampled_from([
    "|upper", "|lower", "|title", "|capitalize", "|trim", "|trim('_')", "|string", "|list", "|reverse", "|first", "|last",
    "|join", "|join('_')", "|replace('a', '_')", "|replace('', '_')", "|replace('-', '_', 1)", "|sort", "|unique|list",
    "|length", "|int", "|e", "|center(9)", "|default('_')", "|default('a', true)", "|items|list", "|dictsort",
    "|batch(2)|list", "|slice(2)|list", "|tojson", "|map('upper')|list", "|map(attribute='role')|list", "|sum(start='')",
    "|format('a')", "|format('a', 'b')", "|format(k='_')", "|select|list", "|reject('none')|list", "|min", "|max",
    "|striptags", "|truncate(5)", "|indent", "|wordwrap(3)", "|urlencode", "|abs", "|string|list",
    ".center(5, '_')", ".rjust(7, '_')", ".ljust(7, '_')", ".zfill(6)", ".split('-')", ".split()", ".partition('-')",
    ".replace('a', '_')", ".upper()", ".swapcase()", ".strip('_')", ".removeprefix('_')", ".removesuffix('_')",
    ".join(['a', 'b'])", ".format('a')", ".format_map({'a': '_'})", ".items()", ".keys()", ".values()", ".get('k')",
    ".get('z', '_')", ".count('a')", ".encode().hex()", ".to_bytes(1, 'big').decode()", ".casefold()", ".expandtabs()",
    ".k", "['k']", "['a']", "[0]", "[1]", "[-1]", "[1:]", "[:2]", "[::2]", "[::-1]", "[1::2]", "[:-1]", "[m.n]", "[m.n:]",
    ".role", " * 2", " ~ '_'", " + '_'", " + ['_']", " % 'a'", " % {'k': '_'}", " % ['a']", " % ('a',)", " - 1", " // 2",
])  # fmt: skip
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, AFTER).map(lambda parts: f"({parts[0]}){parts[1]}"),
        st.tuples(inner, st.sampled_from([" ~ ", " + ", " * ", " % ", " or ", " and ", " == "]), inner).map(
            lambda parts: f"(({parts[0]}){parts[1]}({parts[2]}))"
        ),
        st.tuples(inner, inner).map(lambda parts: f"[{parts[0]}, {parts[1]}]"),
        st.tuples(inner, inner).map(lambda parts: f"{{'k': {parts[0]}, 'role': {parts[1]}}}"),
        st.tuples(inner, inner).map(lambda parts: f"({parts[0]} if m.role else {parts[1]})"),
    ),
    max_leaves=6,
)
# `fetch` takes the place of a subscript.
WAYS = st.sampled_from([
    "{{ fetch(%s) }}", "{%% set a = %s %%}{{ fetch(a) }}", "{%% set a %%}{{ %s }}{%% endset %%}{{ fetch(a) }}",
    "{%% set n = namespace(a=%s) %%}{%% set b = n %%}{{ fetch(b.a) }}", "{%% set a, b = %s %%}{{ fetch(a) }}",
    "{%% for a in %s %%}{{ fetch(a) }}{%% endfor %%}", "{%% macro f(a) %%}{{ fetch(a) }}{%% endmacro %%}{{ f(%s) }}",
    "{%% set l = [] %%}{%% set b = l %%}{%% set _ = b.append(%s) %%}{{ fetch(l|join) }}",
    "{%% set n = namespace(a='') %%}{%% for c in %s %%}{%% set n.a = n.a ~ c %%}{%% endfor %%}{{ fetch(n.a) }}",
    "{%% set d = {} %%}{%% set _ = d.update({'k': %s}) %%}{{ fetch(d.k) }}",
    "{%% set l = ['_'] %%}{%% set l = l + [%s] %%}{{ fetch(l|join) }}",
])  # fmt: skip
CONVERSATION = {"m": {"role": "user", "n": 1}, "messages": [{"role": "user"}, {"role": "tool"}]}


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(expression=EXPRESSIONS, way=WAYS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_what_jinja_makes_of_an_expression_is_known_or_counts_as_computed(expression: str, way: str) -> None:
    source = way % expression
    names = [name for name in _fetched(source) if "_" in name]
    assume(names)
    template = parse(source)
    folder = assignments(template.items)
    (key,) = [
        node.children[1]
        for one in visit(template.items)
        for top in expressions(one.item)
        for node in walk(top)
        if node.kind == "call" and node.children[0].name == "fetch"
    ]
    value = folder.evaluate(key)
    if not value.flags & COMPUTED:
        edged = bool(value.flags & EDGED)
        assert all(name in value.strings or (edged and not name.startswith("_")) for name in names), source


def _fetched(source: str) -> list[str]:
    """The strings that a template fetches by when Jinja renders it."""
    keys: list[object] = []
    given_names = {**CONVERSATION, "fetch": keys.append}
    try:
        jinja2.Environment(autoescape=False).from_string(source).render(**given_names)
    except (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return []
    return [str(key) for key in keys if isinstance(key, str)]
