"""What the ledger says was released, in order."""

from __future__ import annotations

from itertools import pairwise

from assay.core.release import AliasMove
from assay.ledger import EntryKind
from assay.pipeline.journal import Journal


def release_stack(journal: Journal, model: str, alias: str) -> list[AliasMove]:
    """The promotions that still stand under the alias, oldest first; the last is live.

    A rollback takes away everything above the release it went to, so that rolling back twice goes back
    two releases and never forward again to the one that was found bad.
    """
    outcomes = journal.outcomes()
    stack: list[AliasMove] = []
    for kind, logged in journal.intents():
        move = logged.value
        outcome = outcomes.get(logged.index)
        if (move.model, move.alias) != (model, alias) or not outcome or outcome.outcome != "done":
            continue
        if kind is EntryKind.PROMOTION:
            stack.append(move)
            continue
        while stack and stack[-1].version != move.version:
            stack.pop()
    return stack


def newest_rollback_from(journal: Journal, candidate: str, alias: str) -> AliasMove | None:
    """The rollback that took the alias away from this candidate, unless it was promoted again since."""
    outcomes = journal.outcomes()
    done = [
        (kind, item.value)
        for kind, item in journal.intents()
        if item.value.alias == alias and item.index in outcomes and outcomes[item.index].outcome == "done"
    ]
    found = None
    for (_, before), (kind, move) in pairwise(done):
        if kind is EntryKind.ROLLBACK and before.candidate == candidate:
            found = move
        elif move.candidate == candidate:
            found = None
    return found
