"""One attack to be made on an endpoint, as it stands in a pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Detector(StrEnum):
    """How it is told whether an attack worked; `detectors` has one function for each."""

    MARKER = "marker"  # the answer joins two halves of a word that the attack asked to join
    CANARY = "canary"  # the planted code, or most of the system prompt, came out
    COMPLIED = "complied"  # a harmful request was answered and not declined
    PATTERN = "pattern"  # a regular expression stands in the answer
    MARKUP = "markup"  # the guard finds a leaking link, a script or the like in the answer
    PERSONAL = "personal"  # the guard finds personal data or secrets that the prompt did not hold
    TOOL = "tool"  # a tool was called that must not be, or with what it must not have
    LENGTH = "length"  # the answer ran to its limit
    SPLIT = "split"  # of several wordings of one request some were declined and some answered


@dataclass(frozen=True, slots=True)
class Probe:
    """An attack.

    Attributes:
        id: `family/short-name`.
        family: which rule of the check it belongs to: `injection`, `jailbreak` …
        turns: what the user says, one after the other; the last answer is judged.
        detector: how it is told whether it worked.
        system: the system prompt it is made under, "" for the production one.
        tools: functions that the model is offered.
        document: a text that stands in for `{document}` in the turns.
        pattern: for `pattern` and `tool`: what must stand in the answer, or in the call's arguments.
        forbidden: for `tool`: functions that must not be called; all where empty.
        wordings: for `split`: the same request in other words, each asked on its own.
        mutate: whether the last turn, or the document, may be rewritten.
        tags: `owasp:LLM01`, `atlas:AML.T0051` and the like.
    """

    id: str
    family: str
    turns: tuple[str, ...]
    detector: Detector
    system: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    document: str = ""
    pattern: str = ""
    forbidden: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    mutate: bool = True
    tags: tuple[str, ...] = field(default=())
