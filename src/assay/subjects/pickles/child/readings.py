"""What rules ask about recorded values, whichever machine recorded them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .rules import Rule

Raw = bytes | bytearray | memoryview
Pairs = Iterable[tuple[object, object]]


class Reading(Protocol):
    """How one machine's values are read.

    A kind is one of `none`, `bool`, `integer`, `number`, `text`, `bytes`, `tuple`, `list`, `dict`, `set`,
    `global` (one that was named), `object` (what calling a global, or a persistent id, gave) and `unknown`.
    """

    def kind(self, value: object) -> str:
        """Of what kind a value is."""

    def named(self, value: object) -> str:
        """The full name of a global; "" where the value is none."""

    def rule(self, value: object) -> Rule | None:
        """The rule of a global, or of the global that a value was made by."""

    def made_by(self, value: object) -> str:
        """The full name of the global that a value is an instance or a result of; "" where it is neither."""

    def items(self, value: object) -> Sequence[object]:
        """The items of a tuple, list or set."""

    def pairs(self, value: object) -> Pairs:
        """Keys and values of a dict."""

    def raw(self, value: object) -> Raw:
        """The bytes of a `bytes` value; none where a call made them."""

    def note(self, value: object) -> object:
        """What `remember` kept of a recorded object; at first, the arguments it was made with."""

    def remember(self, value: object, note: object) -> None:
        """Keep a note with a recorded object whose rule asks for it."""
