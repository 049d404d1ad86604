"""What the patterns of a `match` statement capture."""

from __future__ import annotations

import ast

from assay.subjects.python_source import by_syntax, evaluation, holders
from assay.subjects.python_source.frame import Frame, Source, bind
from assay.subjects.python_source.value import Value

_COMPARED = ("__eq__", "__len__", "__getitem__", "__iter__", "__class__")


def capture(source: Source, frame: Frame, node: ast.Match) -> None:
    """Bind the names in the patterns to what they may capture of the subject."""
    subject = evaluation.evaluate(source, frame, node.subject)
    by_syntax.run(source, frame, subject, _COMPARED, node.lineno)
    for case in node.cases:
        _capture(source, frame, case.pattern, subject)


def _capture(source: Source, frame: Frame, pattern: ast.pattern, value: Value) -> None:
    match pattern:
        case ast.MatchAs():
            if pattern.pattern is not None:
                _capture(source, frame, pattern.pattern, value)
            if pattern.name is not None:
                bind(source, frame, pattern.name, value)
        case ast.MatchStar(name=str(name)):
            bind(source, frame, name, _part(value))
        case ast.MatchMapping():
            _mapping(source, frame, pattern, value)
        case ast.MatchClass():
            _object(source, frame, pattern, value)
        case ast.MatchSequence() | ast.MatchOr():
            known = value.items if isinstance(pattern, ast.MatchSequence) else None
            whole = known if known is not None and len(known) == len(pattern.patterns) else None
            part = value if isinstance(pattern, ast.MatchOr) else _part(value)
            for at, inner in enumerate(pattern.patterns):
                _capture(source, frame, inner, whole[at] if whole else part)
        case ast.MatchValue():
            evaluation.evaluate(source, frame, pattern.value)


def _part(value: Value) -> Value:
    return Value(value.names, marks=value.marks)


def _mapping(source: Source, frame: Frame, pattern: ast.MatchMapping, value: Value) -> None:
    for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
        known = holders.entry(value, evaluation.evaluate(source, frame, key).constant)
        _capture(source, frame, inner, known or _part(value))
    if pattern.rest is not None:
        bind(source, frame, pattern.rest, _part(value))


def _object(source: Source, frame: Frame, pattern: ast.MatchClass, value: Value) -> None:
    cls = evaluation.evaluate(source, frame, pattern.cls)
    by_syntax.run(source, frame, cls, ("__instancecheck__",), pattern.lineno, value)
    for inner in pattern.patterns:
        _capture(source, frame, inner, _part(value))
    for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
        found = evaluation.member(source, frame, value, name, pattern.lineno)
        _capture(source, frame, inner, found)
