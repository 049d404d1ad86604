"""What was seen, as findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from assay.checks.deployment.vector_poisoning import rules
from assay.checks.deployment.vector_poisoning.changes import Changes
from assay.checks.deployment.vector_poisoning.copies import LEAST, Copies
from assay.checks.deployment.vector_poisoning.instructions import Instruction
from assay.checks.deployment.vector_poisoning.planted import Group
from assay.checks.deployment.vector_poisoning.shapes import AMONG, Odd
from assay.checks.deployment.vector_poisoning.tenants import Stray
from assay.core.canonical import JSON
from assay.core.finding import Finding, Location, Rule, Severity
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.snapshot import Snapshot

LISTED = 20
MOST = 200  # findings of one rule; the metrics count all
_QUOTED = 90
_SURE = -2.0  # log10 of the chance of a flood


class Evidence:
    """Makes findings about entries of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def code(self, found: Sequence[Hazard]) -> Iterator[Finding]:
        """One finding for each name."""
        for where, name in {hazard.name: (hazard.where, hazard.name) for hazard in found[::-1]}.values():
            yield rules.CODE.finding(
                f"a pickle of the store names {shown(name)}, which is no part of a store: whoever opens "
                "the store "
                "with its own library runs it",
                Location(name=shown(where)),
                data={"name": shown(name)},
            )

    def planted(self, groups: Sequence[Group]) -> Iterator[Finding]:
        """One finding a group; its severity follows from what else speaks against it."""
        for group in groups[:MOST]:
            yield rules.PLANTED.finding(
                f"{len(group.members)} entries say different things under the same words, "
                f"{quoted(group.phrase)}, and lie nearer to each other ({group.inside:.2f}) than to "
                "anything else "
                f"({group.outside:.2f}): whoever asks in these words is answered from them",
                self._location(group.members[0]),
                severity=planted_severity(group),
                data={**self._entries(group.members), "log10_rate": round(group.log10_rate, 3)},
            )

    def instructions(self, found: Sequence[Instruction]) -> Iterator[Finding]:
        """One finding for each of the guard's rules."""
        by_rule: dict[tuple[str, Severity], list[Instruction]] = defaultdict(list)
        for one in found:
            by_rule[one.detection.rule, one.severity].append(one)
        for (name, severity), those in by_rule.items():
            count = "1 entry tells" if len(those) == 1 else f"{len(those):,} entries tell"
            yield rules.INSTRUCTION.finding(
                f"{count} the model what to do ({name}): {quoted(those[0].detection.text)}",
                self._location(those[0].at),
                severity=severity,
                data={**self._entries([one.at for one in those]), "rule": name},
            )

    def mismatches(self, found: Sequence[Odd]) -> Iterator[Finding]:
        """One finding an entry."""
        for odd in found[:MOST]:
            yield self._odd(
                rules.MISMATCH,
                odd,
                f"its text belongs elsewhere than its vector lies (cosine {odd.figure:.2f}; honest "
                "entries stay "
                f"above {odd.limit:.2f}), so it is found for what it does not say: {self._text(odd.at)}",
            )

    def hubs(self, found: Sequence[Odd]) -> Iterator[Finding]:
        """One finding an entry."""
        for odd in found[:MOST]:
            yield self._odd(
                rules.HUB,
                odd,
                f"is among the {AMONG} nearest of {odd.figure:,.0f} others, where this store's own hubs "
                "stay below "
                f"{odd.limit:,.0f}: questions of every kind find it",
            )

    def long_vectors(self, found: Sequence[Odd]) -> Iterator[Finding]:
        """One finding an entry."""
        for odd in found[:MOST]:
            yield self._odd(
                rules.LONG,
                odd,
                f"its vector is {odd.figure:.3g} long, where others stay below {odd.limit:.3g}: a search "
                "by inner "
                "product finds it first",
            )

    def far_off(self, found: Sequence[Odd]) -> Iterator[Finding]:
        """One finding an entry."""
        for odd in found[:MOST]:
            yield self._odd(
                rules.FAR_OFF,
                odd,
                f"is near to no other entry (mean cosine {odd.figure:.2f} to the {AMONG} nearest; others "
                "stay above "
                f"{odd.limit:.2f})",
            )

    def copies(self, found: Sequence[Copies]) -> Iterator[Finding]:
        """One finding a set that fills a search's first results and is larger than this store's others."""
        large = [one for one in found if len(one.members) >= LEAST and one.log10_q <= _SURE]
        for one in large[:MOST]:
            where = f" from {quoted(one.source)}" if one.source else ""
            yield rules.COPIES.finding(
                f"{len(one.members):,} entries{where} are versions of one text and fill the first results of "
                f"a search: {self._text(one.members[0])}",
                self._location(one.members[0]),
                severity=copies_severity(one),
                data={**self._entries(one.members), "log10_q": round(one.log10_q, 3)},
            )

    def strays(self, found: Sequence[Stray]) -> Iterator[Finding]:
        """One finding an entry."""
        for one in found[:MOST]:
            yield rules.STRAY.finding(
                f"belongs to {quoted(one.tenant)} and lies in the middle of what is {quoted(one.among)}'s: "
                "a search over both finds it there",
                self._location(one.at),
                data={"log10_q": round(one.log10_q, 3)},
            )

    def leaks(self, found: Sequence[tuple[Copies, tuple[str, ...]]]) -> Iterator[Finding]:
        """One finding a text."""
        for one, tenants in found[:MOST]:
            named = ", ".join(quoted(name) for name in tenants[:5])
            yield rules.LEAK.finding(
                f"{len(tenants):,} tenants ({named}) hold the same text: {self._text(one.members[0])}",
                self._location(one.members[0]),
                data=self._entries(one.members),
            )

    def changes(self, found: Changes) -> Iterator[Finding]:
        """What changed in all, and each vector that was moved."""
        if found.total:
            yield rules.CHANGED.finding(
                f"since the approved snapshot {len(found.added):,} entries were added, "
                f"{len(found.removed):,} removed, {len(found.rewritten):,} rewritten, "
                f"{len(found.moved):,} moved and {len(found.relabelled):,} given another source or tenant",
                data={
                    "added": self._ids(found.added),
                    "removed": [shown(key) for key in found.removed[:LISTED]],
                    "rewritten": self._ids(found.rewritten),
                    "moved": self._ids(found.moved),
                    "relabelled": self._ids(found.relabelled),
                },
            )
        if not found.embedded_anew:
            for at in found.moved[:MOST]:
                yield rules.MOVED.finding(
                    f"its vector changed under the same text, so other questions find it: {self._text(at)}",
                    self._location(at),
                )

    def _odd(self, rule: Rule, odd: Odd, message: str) -> Finding:
        data: dict[str, JSON] = {"figure": round(odd.figure, 6), "limit": round(odd.limit, 6)}
        return rule.finding(message, self._location(odd.at), data=data)

    def _location(self, at: int) -> Location:
        return Location(row=at, name=shown(self._snapshot.ids[at]))

    def _entries(self, places: Sequence[int]) -> dict[str, JSON]:
        sources = sorted({self._snapshot.sources[at] for at in places} - {""})
        tenants = sorted({self._snapshot.tenants[at] for at in places} - {""})
        return {
            "entries": len(places),
            "ids": self._ids(places),
            "sources": [shown(name) for name in sources[:LISTED]],
            "tenants": [shown(name) for name in tenants[:LISTED]],
        }

    def _ids(self, places: Sequence[int]) -> list[JSON]:
        return [shown(self._snapshot.ids[at]) for at in places[:LISTED]]

    def _text(self, at: int) -> str:
        return quoted(self._snapshot.texts[at] or "")


def planted_severity(group: Group) -> Severity:
    """How much besides the group itself speaks against it.

    Chunks of one document on one subject look like a group; a question put before the answers does not look
    like them, nor does a source that brings several groups and nothing else.
    """
    if group.part_of_source:
        return Severity.LOW
    if group.opening and group.question:
        return Severity.HIGH
    return Severity.MEDIUM if group.whole_source else Severity.LOW


def copies_severity(copies: Copies) -> Severity:
    """A flood comes from a source of its own, reworded so as to survive the removal of equal texts."""
    return Severity.MEDIUM if copies.whole_source and copies.reworded else Severity.LOW


def quoted(text: str) -> str:
    """A short piece of hostile text, in quotes, on one line, printable."""
    piece = " ".join(text[: 4 * _QUOTED].split())
    return f"“{shown(piece if len(piece) <= _QUOTED else piece[: _QUOTED - 1] + '…')}”"


def shown(text: str) -> str:
    """Hostile text with what is not printable escaped, at most 200 characters."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:200])
