"""Paths and texts that are known in parts, as the reading of Python tells them."""

from __future__ import annotations

import pathlib
import posixpath
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.subjects.python_source import Value, Vocabulary, paths, read

VOCABULARY = Vocabulary(lambda _: "", lambda _: False)
_IMPORTS = "import os, pathlib, tempfile\nfrom pathlib import Path\nfrom m import f, u\n"


def _argument(expression: str) -> Value:
    reading = read(f"{_IMPORTS}f({expression})", VOCABULARY)
    (event,) = (event for event in reading.events if event.name == "m.f")
    return event.args[0]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Path('a', 'b') / 'c'", "a/b/c"),
        ("'a' / Path('b')", "a/b"),
        ("Path.home() / '.ssh'", "~/.ssh"),
        ("Path('a/b').parent", "a"),
        ("Path('a/b/c').parent.parent", "a"),
        ("Path('a').joinpath('b', 'c')", "a/b/c"),
        ("Path('a/b').with_name('c')", "a/c"),
        ("Path('a/b.txt').with_suffix('.md')", "a/b.md"),
        ("Path('a/b.txt').name", "b.txt"),
        ("Path('a/b.txt').stem", "b"),
        ("Path('a') / '/etc' / 'x'", "/etc/x"),
        ("Path(u) / 'a'", "…/a"),
        ("Path(__file__).parent / 'a'", "…/a"),
        ("str(Path('a') / 'b')", "a/b"),
        ("os.fspath(Path('a'))", "a"),
        ("pathlib.PurePosixPath('a').as_posix()", "a"),
        ("os.path.join('a', 'b')", "a/b"),
        ("os.path.join(u, 'a')", "…/a"),
        ("os.path.join(u, '/a')", "/a"),
        ("os.path.dirname('a/b')", "a"),
        ("os.path.basename('a/b')", "b"),
        ("os.path.join(os.path.dirname(__file__), 'a')", "…/a"),
        ("os.path.expanduser('~/a')", "~/a"),
        ("os.path.expandvars('$HOME/a')", "~/a"),
        ("os.environ['HOME'] + '/a'", "~/a"),
        ("os.environ.get('HOME') + '/a'", "~/a"),
        ("os.getenv('HOME') + '/a'", "~/a"),
        ("os.sep + 'a'", "/a"),
        ("f'{u}/a'", "…/a"),
        ("u + '/a'", "…/a"),
        ("'%s/a' % u", "…/a"),
        ("'{}/a'.format(u)", "…/a"),
        ("'/'.join([u, 'a'])", "…/a"),
        ("os.path.join(tempfile.mkdtemp(), 'a')", "/tmp/…/a"),
        ("u", ""),
        ("Path(u)", ""),
        ("os.path.dirname(__file__)", ""),
        ("f'{u}'", ""),
    ],
)
def test_what_is_known_of_a_path(expression: str, text: str) -> None:
    assert _argument(expression).text == text


def test_a_path_has_one_name() -> None:
    for expression in ("Path('a')", "pathlib.PosixPath('a')", "Path.cwd() / 'a'", "Path(u).parent.resolve()"):
        assert _argument(expression).names == frozenset({paths.PATH}), expression


_PARTS = st.text("ab./~", max_size=6)


@given(st.lists(_PARTS, min_size=1, max_size=4))
@example(["///a"])
def test_parts_are_joined_as_python_joins_them(parts: list[str]) -> None:
    told = paths.join(Value(constant=part) for part in parts).text
    # The home is a root here, and slashes that say nothing may go.
    if not any(part.startswith("~") for part in parts):
        joined = posixpath.join(*parts)
        assert posixpath.normpath(told) == posixpath.normpath(re.sub("/{2,}", "/", joined))
        assert pathlib.PurePosixPath(told or ".").is_absolute() == joined.startswith("/")
