"""Cheap first looks: which of many patterns may match a text, told in a few linear passes of RE2.

A sign is wider than what it stands for: it may show where nothing is, and never fails to show where something
is. So whatever cannot be told counts as shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assay.core.errors import ConfigError

_MEMORY = 8 << 20  # bytes of one automaton, which is begun anew when they are full
_LOOK = re.compile(r"\(\?<?[!=][^()]*\)")
_COUNT = re.compile(r"\{(\d+),(\d+)\}")
_MOST = 20  # repetitions that are worth counting: an automaton grows with them
_SURROGATE = re.compile("[\ud800-\udfff]")
# Letters that Python takes for i where case does not count, and RE2 does not.
_DOTTED, _DOTLESS = "\u0130", "\u0131"
NOTHING: Mapping[str, str] = {}
_CLASSES = {r"\w": r"\pL\pN_", r"\d": r"\p{Nd}"}
_SPELLED = {r"[^\W_]": r"[\pL\pN]", r"[^\W\d_]": r"[\pL\p{Nl}\p{No}]", r"\b": ""}
_BEFORE = re.compile(r"\(\?<!\[((?:\\.|[^\\\]])+)\]\)")
_EXCEPT = {r"^\W_": "A-Za-z0-9", r"^\W\d_": "A-Za-z"}
_PART = re.compile(r"\[\^\\W_\]|\[\^\\W\\d_\]|\\.|.", re.DOTALL)


class Signs:
    """Patterns by name, in groups that are tried in one pass each.

    A group should hold what counts alike (runs of digits, runs of letters): an automaton of patterns that
    count apart grows out of hand.

    Args:
        groups: by name, patterns of RE2.
        of_python: they are of `sign_of`, and stand for patterns by which İ may be an i.

    Raises:
        ConfigError: a pattern is not RE2.
    """

    def __init__(self, groups: Iterable[Mapping[str, str]], *, of_python: bool = False) -> None:
        self._of_python = of_python
        self._groups = [(tuple(group), _set(group)) for group in groups]
        self._all = frozenset(name for names, _ in self._groups for name in names)

    def shown(self, text: str) -> frozenset[str]:
        """The names of patterns that may match."""
        if self._of_python and (_DOTTED in text or _DOTLESS in text):
            return self._all
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raw = _SURROGATE.sub("\ufffd", text).encode()
        found: list[str] = []
        for names, patterns in self._groups:
            numbers = patterns.Match(raw) or ()
            # The empty pattern always matches: without it RE2 ran out of memory, and told nothing.
            found += [names[number] for number in numbers if number < len(names)] if numbers else names
        return frozenset(found)


def _set(group: Mapping[str, str]) -> Any:
    import re2  # noqa: PLC0415  compiled, and only the guard pays for it

    options = re2.Options()
    options.never_capture = options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    patterns = re2.Set.SearchSet(options)
    try:
        for pattern in (*group.values(), ""):
            patterns.Add(pattern)
        patterns.Compile()
    except re2.error as error:
        raise ConfigError(f"not a valid RE2 pattern: {error}", subject=", ".join(group)) from error
    return patterns


def sign_of(pattern: re.Pattern[str]) -> str:
    """A sign of RE2 for a pattern of Python's `re`: the same without what stands around it.

    It knows literals, classes, groups, repetitions, words, digits, white space in negated classes, and
    lookaround without groups in it, which is left out. What may not stand before it at its beginning is kept
    as far as it is ASCII.
    """
    before = _BEFORE.match(pattern.pattern)
    head = _none_of(before[1]) if before else ""
    spelled = head + respelled(_LOOK.sub("", pattern.pattern), _CLASSES, _SPELLED)
    counted = _COUNT.sub(lambda m: f"{{{m[1]},}}" if int(m[2]) > _MOST else m[0], spelled)
    return f"(?i){counted}" if pattern.flags & re.IGNORECASE else counted


def respelled(pattern: str, classes: Mapping[str, str], others: Mapping[str, str] = NOTHING) -> str:
    """A pattern with other words for classes (by their members) and for other parts."""
    parts, inside = [], False
    for part in _PART.findall(pattern):
        inside = part == "[" or (inside and part != "]")
        if part in classes:
            parts.append(classes[part] if inside else f"[{classes[part]}]")
        else:
            parts.append(others.get(part, part))
    return "".join(parts)


def _none_of(members: str) -> str:
    """The beginning of a text, or a character that is none of those."""
    members = _EXCEPT.get(members, members).replace(r"\w", "A-Za-z0-9_").replace(r"\d", "0-9")
    return f"(?:^|[^{members}])"
