"""The reading of Python source: names, constants and time; hostile source ends it in order."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import AssayError
from assay.subjects.python_source import Time, Value, Vocabulary, cookie, is_plain, parsing, read, walk
from assay.subjects.python_source.frame import MAX_EVENTS, MAX_STEPS, Source

VOCABULARY = Vocabulary(
    lambda name: "decoded" if name == "base64.b64decode" else "",
    lambda name: name in {"os.system", "builtins.exec"},
)


def _calls(text: str) -> dict[str, Time]:
    return {event.name: event.time for event in read(text, VOCABULARY).events if event.kind == "call"}


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("f()", Time.IMPORT),
        ("def g(): f()", Time.DEFINED),
        ("def g(): f()\ng()", Time.IMPORT),
        ("def g(): f()\ndef h(): g()\nh()", Time.IMPORT),
        ("async def g(): f()", Time.DEFINED),
        ("class A:\n f()", Time.IMPORT),
        ("class A:\n def m(self): f()", Time.DEFINED),
        ("class A:\n def __init__(self): f()", Time.USE),
        ("class A:\n def __init__(self): self.m()\n def m(self): f()", Time.USE),
        ("class B:\n def m(self): f()\nclass A(B):\n def __init__(self): self.m()", Time.USE),
        ("class A:\n def __init__(self): f()\nA()", Time.IMPORT),
        ("class A:\n def __call__(self): f()\nA()()", Time.IMPORT),
        ("if __name__ == '__main__':\n f()", Time.DEFINED),
        ("if '__main__' == __name__:\n f()", Time.DEFINED),
        ("if __name__ != '__main__':\n f()", Time.IMPORT),
        ("import sys\nif sys.x and __name__ == '__main__':\n f()", Time.DEFINED),
        ("from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n f()", Time.IMPORT),
        ("while True:\n f()", Time.IMPORT),
        ("g = lambda: f()", Time.DEFINED),
        ("g = lambda: f()\ng()", Time.IMPORT),
        ("[f() for x in y]", Time.IMPORT),
        ("x = {f(): 1}", Time.IMPORT),
        ("del a[f()]", Time.IMPORT),
        ("assert f()", Time.IMPORT),
        ("def g(a=f()): pass", Time.IMPORT),
        ("try: pass\nfinally: f()", Time.IMPORT),
        ("def __getattr__(name): f()", Time.IMPORT),
    ],
)
def test_when_code_runs(text: str, time: Time) -> None:
    assert _calls("from m import f\n" + text)["m.f"] is time


@pytest.mark.parametrize(
    ("expression", "constant"),
    [
        ("'a' + 'b' * 2", "abb"), ("'%s-%s' % 'x' if 0 else '{}'.format('y')", None), ("'abc'[::-1]", "cba"),
        ("''.join(['a', 'b'])", "ab"), ("'-'.join('ab')", "a-b"), ("f'{1}{\"x\"}'", "1x"), ("chr(97)", "a"),
        ("'a,b'.replace(',', '')", "ab"), ("bytes([97, 98]).decode()", "ab"), ("bytes.fromhex('6162')",
                                                                               b"ab"),
        ("''.join(chr(c + 1) for c in [96, 97])", "ab"), ("''.join(map(chr, [97, 98]))", "ab"),
        ("__import__('base64').b64decode('YWI=')", b"ab"), ("'x' * 99999999", None), ("'nope'.nope()", None),
        ("['a', 'b'][1]", "b"), ("'%s' % 'x'", "x"), ("'%999999999s' % 'x'", None), ("1 << 99999999999",
                                                                                     None),
    ],
)  # fmt: skip
def test_what_constants_spell(expression: str, constant: object) -> None:
    (event,) = (e for e in read(f"from m import f\nf({expression})", VOCABULARY).events if e.name == "m.f")
    assert event.args[0].constant == constant


def test_constants_are_as_python_computes_them() -> None:
    for expression in (
        "'a' + 'b' * 2",
        "'abc'[::-1]",
        "f'{1}{\"x\"}'",
        "'a,b'.replace(',', '')",
        "7 % 3 ^ 1",
    ):
        (event,) = read(f"f = print\nf({expression})", VOCABULARY).events
        assert event.args == (Value(constant=eval(expression)),)


def test_marks_flow_through_names_calls_and_formats() -> None:
    text = (
        "import base64, m\na = base64.b64decode(m.x)\nb = f'{a}'\n"
        "m.f(b.strip() + 'x', [b][0], y=(lambda v: v)(b))"
    )
    (event,) = (event for event in read(text, VOCABULARY).events if event.name == "m.f")
    assert all("decoded" in value.marks for value in (*event.args, *event.keywords.values()))


def test_recursion_and_cycles_end() -> None:
    text = "def f(x): return g(x)\ndef g(x): return f(x)\nf(1)\nclass A(A): pass\nx = x = lambda: x()\nx()"
    assert read(text, VOCABULARY).complete


@pytest.mark.parametrize(
    "text",
    [
        "(" * 300, "-" * 100_000 + "1", "a" + ".b" * 100_000, "a" + "()" * 50_000, "1" + "+1" * 50_000,
        "lambda:" * 9_000 + "1",
        "if 1: pass\n" + "elif 1: pass\n" * 50_000, "x = 1\n" * 300_000, "def f(:", "print 'two'", "\0",
        "a\n  b", "[" * 90 + "]" * 89,
    ],
)  # fmt: skip
def test_hostile_source_is_refused(text: str) -> None:
    with pytest.raises(AssayError):
        read(text, VOCABULARY)


def test_more_calls_than_are_followed_is_not_complete() -> None:
    doubled = "\n".join(f"def f{at}(x): f{at + 1}(1); f{at + 1}(2)" for at in range(40))
    chain = "import os\n" + doubled + "\ndef f40(x): os.system('x')\nf0(1)"
    reading = read(chain, VOCABULARY)
    assert not reading.complete or any(event.time is Time.IMPORT for event in reading.events)


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        (b"# coding: utf-7", "utf-7"), (b"#!x\n# -*- coding: Latin-1 -*-", "iso8859-1"),
        (b"# vim: fileencoding=UTF8", "utf-8"),
        (b"x = 1\n# coding: utf-7", ""), (b"\n\n# coding: utf-7", ""), (b"# coding: nonsense", "nonsense"),
        (b"", ""),
    ],
)  # fmt: skip
def test_cookie(line: bytes, encoding: str) -> None:
    assert cookie(line) == encoding


@pytest.mark.parametrize(
    "encoding", ["utf-8", "iso8859-5", "cp1252", "euc_jp", "shift_jis", "gb18030", "koi8-r"]
)
def test_plain_encodings(encoding: str) -> None:
    assert is_plain(encoding)


@pytest.mark.parametrize(
    "encoding",
    ["utf-7", "unicode_escape", "raw_unicode_escape", "rot13", "hex", "zlib", "cp037", "utf-16", "punycode",
     "idna", "hz", "undefined", "no-such", "base64"],
)  # fmt: skip
def test_encodings_that_disguise(encoding: str) -> None:
    assert not is_plain(encoding)


_ATOMS = st.sampled_from(
    [
        "os",
        "f",
        "'a'",
        "1",
        "exec",
        "getattr",
        "__import__('os')",
        "[1]",
        "(lambda x: x)",
        "x",
        "A()",
        "A",
        "{'a': os}",
        "__import__('')",
        "Path('')",
        "''",
        "-1",
    ]
)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"{p[0]}[{p[1]}]"),
        inner.map(lambda e: f"({e}).system"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]} for x in {p[1]}]"),
        inner.map(lambda e: f"(x := {e})"),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_EXPRESSIONS, max_size=4))
def test_any_source_is_read_or_refused(expressions: list[str]) -> None:
    text = "import os\nfrom pathlib import Path\nclass A:\n def __getitem__(self, k): return k\n"
    text += "\n".join(expressions)
    try:
        ast.parse(text)
    except SyntaxError:
        return
    read(text, VOCABULARY)


_CLASS = "class A:\n def __{0}__(self, *a): return (self + a) - (self * a)\n"
_BOMBS = {
    "operators": "".join(_CLASS.format(name) for name in ("add", "sub", "mul"))
    + "a = A()\n"
    + "a + a\n" * 900,
    "handed": "import m\nclass A:\n"
    + "".join(f" def __x{at}__(self): m.f(A(), self)\n" for at in range(60))
    + "m.f(A())\n" * 200,
    "callbacks": "import m\n"
    + "\n".join(f"def f{at}(*a): m.g(f{at + 1}, f{at + 2}, *a)" for at in range(40))
    + "\ndef f40(): pass\ndef f41(): pass\nm.g(f0, m)",
    "properties": "class A:\n"
    + "".join(f" @property\n def p{at}(self): return self.p{at + 1}.p{at + 1}\n" for at in range(40))
    + "A().p0",
    "template": "s = '" + "%(" * 2_000 + "'\n" + "s % x\n" * 900,
    "table": "d = {}\n" + "".join(f"d['{at}'] = x\n" for at in range(3_000)),
    "joined": f"s = '{'a' * 4_000}'\nl = [{'s, ' * 4_000}q]\n" + "'/'.join(l)\n" * 200,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_BOMBS))
def test_what_grows_without_end_is_read_to_its_end(name: str) -> None:
    source = Source(VOCABULARY)
    walk.module(source, parsing.parse(_BOMBS[name]), main=False)
    assert source.steps < MAX_STEPS
    assert len(source.events) < MAX_EVENTS


def test_what_is_left_out_is_not_complete() -> None:
    family = "".join(f"class A{at}({f'A{at - 1}' if at else ''}): pass\n" for at in range(99)) + "A98() + 1"
    assert not read(family, VOCABULARY).complete
    attributes = "class A: pass\n" + "".join(f"A.a{at} = f\n" for at in range(5_000))
    assert not read(attributes.replace("= f", "= len"), VOCABULARY).complete
    events = "import m\n" + "".join(f"m.a{at}()\n" for at in range(25_000))
    assert not read(events, VOCABULARY).complete
