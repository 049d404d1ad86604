"""Whether byte code may come from a source: all that it names and says must stand there.

The other way round does not hold: who knows the words of a source can say something else with them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_MANGLED = re.compile(r"_([A-Za-z]\w*?)(__\w+)")
_HOLDERS = {
    ast.Name: ("id",), ast.Attribute: ("attr",), ast.arg: ("arg",), ast.keyword: ("arg",),
    ast.FunctionDef: ("name",), ast.AsyncFunctionDef: ("name",), ast.ClassDef: ("name",),
    ast.Global: ("names",), ast.Nonlocal: ("names",), ast.ExceptHandler: ("name",),
    ast.alias: ("name", "asname"), ast.ImportFrom: ("module",), ast.MatchAs: ("name",),
    ast.MatchStar: ("name",), ast.MatchMapping: ("rest",), ast.MatchClass: ("kwd_attrs",),
}  # fmt: skip
# Names that the compiler uses by itself, and words in names of functions and in annotations.
_OWN = frozenset({"AssertionError", "NotImplementedError", "join"})
_OWN_WORDS = frozenset({
    "return", "None", "True", "False", "Ellipsis", "module", "lambda", "locals", "genexpr", "listcomp",
    "dictcomp", "setcomp", "_",
})  # fmt: skip
_REPEATED = re.compile(r"(.{1,40}?)\1{3,}")
_FORMAT = re.compile(r"%(?:\(\w*\))?[-#0 +]*[\d.*]*[A-Za-z]")  # the compiler takes `"%s_end" % x` apart
MAX_REPEATED = 5_000  # characters: CPython folds no longer ones
MAX_COMPUTED = 200  # characters of a text that the compiler puts together from others


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names, and the words of the texts, of one source."""

    names: frozenset[str]
    words: frozenset[str]


def vocabulary(tree: ast.Module) -> Vocabulary:
    """All that a source names and says."""
    names: set[str] = set()
    texts: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str | bytes):
                texts.append(_readable(node.value))
            continue
        for attribute in _HOLDERS.get(type(node), ()):
            value = getattr(node, attribute)
            for one in value if isinstance(value, list) else [value]:
                names.update((one or "").split("."))
        # Type parameters, which an older Python does not know.
        if type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:
            names.add(str(getattr(node, "name", "")))
    words = {word for text in texts for one in (text, _FORMAT.sub(" ", text)) for word in _WORD.findall(one)}
    return Vocabulary(frozenset(names), frozenset(words))


def foreign(names: Iterable[str], texts: Iterable[str], source: Vocabulary) -> Iterator[str]:
    """Names and words of byte code that its source does not have; constants of bytes as Latin-1 texts."""
    known = source.names | source.words | _OWN | _OWN_WORDS
    yield from sorted(name for name in names if not _is_named(name, source.names))
    words = {word for text in texts for word in _WORD.findall(text)} - known
    yield from sorted(word for word in words if not _is_said(word, known))


def _readable(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _is_named(name: str, names: frozenset[str]) -> bool:
    parts = name.split(".")
    if all(part in names or part in _OWN or _is_own(part) for part in parts):
        return True
    mangled = _MANGLED.fullmatch(name)
    return mangled is not None and mangled[2] in names


def _is_own(name: str) -> bool:
    """Whether the compiler makes such names: `__module__`, `.0`, `_[1]`."""
    return not name or not name.isidentifier() or (name.startswith("__") and name.endswith("__"))


def _is_said(word: str, known: frozenset[str]) -> bool:
    """Whether a word stands in the source, or is put together from words of it, as `"a" * 4` is."""
    if len(word) == 1 or word.isdigit() or word in known or _is_named(word, known):
        return True
    if len(word) > MAX_COMPUTED:
        shorter = _REPEATED.sub(r"\1", word[:MAX_REPEATED])
        return len(shorter) <= MAX_COMPUTED and len(word) <= MAX_REPEATED and _is_said(shorter, known)
    reached = [True] + [False] * len(word)
    for end in range(1, len(word) + 1):
        reached[end] = any(reached[at] and word[at:end] in known for at in range(end))
    return reached[-1]
