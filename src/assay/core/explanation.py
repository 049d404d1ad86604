"""Explanation: what a finding's input would have done, step by step, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain that leads to an effect.

    Attributes:
        what: an opcode, node or line with what it does, such as `REDUCE calls os.system`.
        offset: 0-based byte in the file or member, where it is known.
    """

    what: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would have happened, for a person who has to decide.

    Every text is bounded. What quotes the input is hostile: show it through `reports.plain`.

    Attributes:
        source: the call that would run, as Python (or as the format's own language), a line each; "" where
            nothing is called. It quotes its arguments, cut where they are long.
        steps: what leads to it, in the order of the file.
        loaders: the calls that would run it, such as `pickle.load(file)`.
        effect: what would have happened, in a sentence or two.
        advice: what to do, one action an entry; a command stands on a line of its own below it.
    """

    source: str = ""
    steps: tuple[Step, ...] = ()
    loaders: tuple[str, ...] = ()
    effect: str = ""
    advice: tuple[str, ...] = ()
