"""Python source: what it does and when, told from its syntax tree; nothing is compiled, imported or run.

`parsing` source to tree, bounded · `value` what is known of a value · `frame` the names code sees ·
`walk` statements and their time · `definitions` functions and classes · `targets` what is assigned to ·
`patterns` what `match` captures · `evaluation` expressions · `calls` calls · `library` what functions of
Python give · `resolvers` ways to a module · `handing` functions handed on · `by_syntax` functions that
syntax calls · `holders` what objects and containers hold · `paths` paths and texts known in part · `folding`
what obfuscated constants spell.

The reading follows names, not branches: a name that may be either of two things is both. It follows the calls
that run at import into the source's own functions and classes, and reads texts that are executed.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import LimitError
from assay.subjects.python_source import parsing, walk
from assay.subjects.python_source.frame import Source
from assay.subjects.python_source.parsing import cookie, is_plain
from assay.subjects.python_source.value import Event, Time, Value, Vocabulary, alternatives

__all__ = ["Event", "Reading", "Time", "Value", "Vocabulary", "alternatives", "cookie", "is_plain", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source does, in the order of its lines.

    Attributes:
        events: calls, references and assignments.
        complete: whether all of it was followed within the bounds.
    """

    events: tuple[Event, ...]
    complete: bool


def read(text: str, vocabulary: Vocabulary, *, main: bool = False) -> Reading:
    """Read a source. `main`: it is run as a program, so that its `__main__` part runs, too.

    Raises:
        LimitError: it is too large or too deep.
        SubjectError: it is not Python.
    """
    tree = parsing.parse(text)
    source = Source(vocabulary)
    try:
        walk.module(source, tree, main=main)
    except RecursionError as error:
        raise LimitError("nested too deep to be followed") from error
    events = sorted(source.events.values(), key=lambda event: (event.line, event.name))
    return Reading(tuple(events), not source.exhausted)
