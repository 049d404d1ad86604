"""Passages before the guard: what it says of each, and what the document reads like afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.gateway.passages import Fragment, Passage, Path
from assay.guard.guard import Guard
from assay.guard.verdict import Action, GuardVerdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A passage and its verdict."""

    passage: Passage
    verdict: GuardVerdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the guard says of all passages of a document.

    Attributes:
        judged: each passage.
        texts: what stands at a path instead, where something is redacted, or data may not leave (None).
    """

    judged: tuple[Judged, ...]
    texts: dict[Path, str | None]

    @property
    def action(self) -> Action:
        """The gravest."""
        return max(
            (one.verdict.action for one in self.judged), key=lambda one: one.rank, default=Action.ALLOW
        )

    def blocked(self, prefix: Path = ()) -> Judged | None:
        """The first passage that is blocked below a path."""
        return next((one for one in self.judged if _blocks(one, prefix)), None)

    def touched(self, prefix: Path) -> bool:
        """Whether something below a path is redacted or blocked."""
        size = len(prefix)
        return bool(self.blocked(prefix)) or any(path[:size] == prefix for path in self.texts)


def judge(guard: Guard, passages: Iterable[Passage], route: str) -> Judgement:
    """Have every passage judged.

    Args:
        guard: judges.
        passages: what to judge.
        route: as for `Guard.judge`.
    """
    judged: list[Judged] = []
    spans: dict[Path, list[tuple[int, int, str]]] = {}
    originals: dict[Path, str] = {}
    for passage in passages:
        verdict = guard.judge(passage.text, passage.source, route)
        if verdict.action is Action.REDACT and _fixed(passage, verdict):
            verdict = replace(verdict, action=Action.BLOCK, text="")
        judged.append(Judged(passage, verdict))
        for fragment, start, end, label in _placed(guard, passage, verdict):
            originals[fragment.path] = fragment.text
            spans.setdefault(fragment.path, []).append((start, end, label))
    texts: dict[Path, str | None] = {
        path: _without(originals[path], places) for path, places in spans.items()
    }
    return Judgement(tuple(judged), texts)


def _blocks(one: Judged, prefix: Path) -> bool:
    below = any(fragment.path[: len(prefix)] == prefix for fragment in one.passage.fragments)
    return one.verdict.action is Action.BLOCK and below


def _fixed(passage: Passage, verdict: GuardVerdict) -> bool:
    return any(fragment.fixed for fragment, *_ in _overlapping(passage, verdict))


def _placed(
    guard: Guard, passage: Passage, verdict: GuardVerdict
) -> Iterator[tuple[Fragment, int, int, str]]:
    """Each fragment that a redacted place reaches, where, and what stands there instead."""
    if verdict.action is not Action.REDACT:
        return
    whole = passage.text
    for fragment, at, start, end, rule in _overlapping(passage, verdict):
        # A place that goes on from the fragment before has its label there.
        label = guard.replacement(rule, whole[start:end]) if start >= at else ""
        yield fragment, max(0, start - at), min(end - at, len(fragment.text)), label


def _overlapping(passage: Passage, verdict: GuardVerdict) -> Iterator[tuple[Fragment, int, int, int, str]]:
    """Each fragment that a redacted place reaches: where the fragment begins, and the place."""
    at = 0
    for fragment in passage.fragments:
        after = at + len(fragment.text)
        for start, end, rule in verdict.redacted:
            if start < after and end > at:
                yield fragment, at, start, end, rule
        at = after + len(passage.separator)


def _without(text: str, places: list[tuple[int, int, str]]) -> str:
    """The text with places replaced; those that overlap are one."""
    parts: list[str] = []
    at = 0
    for start, end, label in sorted(places):
        if start >= at:
            parts += [text[at:start], label]
        at = max(at, end)
    return "".join([*parts, text[at:]])
