"""What an expression of a template may come to, as far as it can be told without rendering.

A `Value` is the constants that are known, and what else it may be: a number, data of the conversation, or a
string that the template puts together in ways that are not followed. Whatever is not followed is `COMPUTED`,
never nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

MAX_VALUES: Final = 256  # constants of one expression, over all branches
MAX_WAYS: Final = 256  # in which several expressions may come out together
FEW: Final = 3  # strings of a value that grows
MAX_LENGTH: Final = 4096  # characters of a string, items of a list
MAX_SIZE: Final = 20_000  # values within values; more count as computed

NUMBER: Final = 1
DATA: Final = 2  # the conversation, and whatever else the application passes in
EDGED: Final = 4  # put together, and begins or ends as no dangerous name does
COMPUTED: Final = 8  # put together of what the template brings, and not followed
MACHINE: Final = 16  # a function, macro or object of Jinja, or what may hold one
SPACE: Final = 32  # a namespace


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list or tuple; `exact`: these items in this order, otherwise any of them any number of times."""

    items: tuple[Value, ...]
    exact: bool = True
    size: int = field(init=False, compare=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(item.size for item in self.items))


@dataclass(frozen=True, slots=True)
class Table:
    """A dict, as pairs of keys and values."""

    pairs: tuple[tuple[Value, Value], ...]
    size: int = field(init=False, compare=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(key.size + held.size for key, held in self.pairs))


Constant: TypeAlias = str | int | float | bool | Sequence | Table | None


@dataclass(frozen=True, slots=True)
class Value:
    """Constants that an expression may be, and flags for what else it may be.

    Attributes:
        constants: without doubles; `1` and `True` count as the same.
        flags: of NUMBER, DATA, EDGED, COMPUTED, MACHINE and SPACE; 0 where the constants are all.
        cut: whether constants were left out for want of room.
        size: how much it holds, all that stands inside it included.
    """

    constants: tuple[Constant, ...] = ()
    flags: int = 0
    cut: bool = field(default=False, compare=False)
    size: int = field(init=False, compare=False, default=1)

    def __post_init__(self) -> None:
        inner = (one.size if isinstance(one, Sequence | Table) else 1 for one in self.constants)
        object.__setattr__(self, "size", 1 + sum(inner))

    @property
    def strings(self) -> list[str]:
        """The strings among the constants."""
        return [one for one in self.constants if isinstance(one, str)]


NOTHING: Final = Value()
UNDEFINED: Final = Value(("",))  # which shows nothing
COMPUTED_VALUE: Final = Value(flags=COMPUTED)
NUMBER_VALUE: Final = Value(flags=NUMBER)
DATA_VALUE: Final = Value(flags=DATA)


def union(values: Iterable[Value]) -> Value:
    """Any of several values."""
    flags, constants, cut = 0, dict[Constant, None](), False
    for value in values:
        flags |= value.flags
        cut |= value.cut
        for constant in value.constants:
            constants[constant] = None
        if len(constants) > MAX_VALUES:
            return Value(tuple(constants)[:MAX_VALUES], flags | COMPUTED, cut=True)
    return Value(tuple(constants), flags, cut)


def unfolded(*values: Value) -> Value:
    """What an operation that is not followed makes of values: whatever their letters can make.

    Numbers stay numbers, and data alone stay data.
    """
    flags = 0
    for value in values:
        flags |= spread(value)
    return Value(flags=flags & ~EDGED | (COMPUTED if flags & (EDGED | MACHINE | SPACE) else 0))


def spread(value: Value) -> int:
    """The flags of a value and of all that it holds; letters of constants count as computed."""
    flags = value.flags
    for one in value.constants:
        if isinstance(one, str):
            flags |= COMPUTED if one else 0
        elif isinstance(one, Sequence):
            for item in one.items:
                flags |= spread(item)
        elif isinstance(one, Table):
            for pair in one.pairs:
                flags |= spread(pair[0]) | spread(pair[1])
        elif one is not None:
            flags |= NUMBER
    return flags


def elements(value: Value) -> Value:
    """What a loop over a value gives."""
    found: list[Value] = []
    for one in value.constants:
        if isinstance(one, Sequence):
            found += one.items
        elif isinstance(one, Table):
            found += (key for key, _ in one.pairs)
        elif isinstance(one, str):
            found.append(
                Value(tuple(dict.fromkeys(one[:MAX_LENGTH])), 0 if len(one) <= MAX_LENGTH else COMPUTED)
            )
    return union([*found, _inside(value.flags)])


def member(value: Value, key: Value) -> Value:
    """What stands under a key; a key that is not known may be any."""
    found = [_inside(value.flags)]
    for one in value.constants:
        held: list[Value] = []
        if isinstance(one, Table):
            held += _under(one, key)
        elif isinstance(one, Sequence):
            held += _at(one, key)
        elif isinstance(one, str):
            held += _letter(one, key)
        found += held or [UNDEFINED]
    return union(found if value != NOTHING else [UNDEFINED])


def _under(table: Table, key: Value) -> Iterator[Value]:
    for name, held in table.pairs:
        if key.flags or name.flags or any(one in name.constants for one in key.constants):
            yield held


def _at(sequence: Sequence, key: Value) -> Iterator[Value]:
    if key.flags or not sequence.exact:
        yield from sequence.items
        return
    size = len(sequence.items)
    for index in key.constants:
        if isinstance(index, int) and -size <= index < size:
            yield sequence.items[index]


def _letter(text: str, key: Value) -> Iterator[Value]:
    if key.flags:
        yield COMPUTED_VALUE
    for index in key.constants:
        if isinstance(index, int) and -len(text) <= index < len(text):
            yield Value((text[index],))


def _inside(flags: int) -> Value:
    """What is taken out of a value that is not known."""
    return Value(flags=flags & ~(EDGED | SPACE) | (COMPUTED if flags & (EDGED | SPACE) else 0))


def bounded(value: Value) -> Value:
    """The value, or where it holds too much, what its letters can make."""
    return value if value.size <= MAX_SIZE else unfolded(value)


def opened(value: Value, appended: Value | None, updated: Value | None) -> Value:
    """A value whose lists may have got `appended`, and whose dicts `updated`, at any depth."""
    if not any(isinstance(one, Sequence | Table) for one in value.constants):
        return value
    found: list[Constant] = []
    for one in value.constants:
        if isinstance(one, Sequence):
            items = tuple(opened(item, appended, updated) for item in one.items)
            found.append(
                Sequence(items, one.exact)
                if appended is None
                else Sequence((union([*items, appended]),), exact=False)
            )
        elif isinstance(one, Table):
            pairs = tuple((key, opened(held, appended, updated)) for key, held in one.pairs)
            more = () if updated is None or (updated, updated) in pairs else ((updated, updated),)
            found.append(Table((*pairs, *more)))
        else:
            found.append(one)
    return Value(tuple(dict.fromkeys(found)), value.flags, value.cut)


def widened(value: Value) -> Value:
    """A value that may grow without an end, as one that does not: one list, one dict, a few strings.

    Lists lose their order, dicts are put into one, and strings beyond a few count as computed.
    """
    plain = [one for one in value.constants if not isinstance(one, Sequence | Table)]
    flags = value.flags | (spread(Value(tuple(plain[FEW:]))) if len(plain) > FEW else 0)
    items = [item for one in value.constants if isinstance(one, Sequence) for item in one.items]
    tables: dict[Value, list[Value]] = {}
    for one in value.constants:
        for key, held in one.pairs if isinstance(one, Table) else ():
            tables.setdefault(key, []).append(held)
    found: list[Constant] = list(plain[:FEW])
    if any(isinstance(one, Sequence) for one in value.constants):
        found.append(Sequence((widened(union(items)),), exact=False))
    if any(isinstance(one, Table) for one in value.constants):
        found.append(Table(tuple((key, widened(union(held))) for key, held in tables.items())))
    return Value(tuple(found), flags, value.cut)


def bag(value: Value) -> Value:
    """The same value, where its lists may have grown in ways that are not followed."""
    held = [one for one in value.constants if isinstance(one, Sequence)]
    if not held:
        return value
    rest = tuple(one for one in value.constants if not isinstance(one, Sequence))
    every = union(item for one in held for item in one.items)
    return Value((*rest, Sequence((every,), exact=False)), value.flags, value.cut)


def alternatives(value: Value) -> tuple[list[Any], bool]:
    """The constants as plain Python, and whether they are all that the value may be."""
    found: list[Any] = []
    complete = not value.flags and not value.cut
    for one in value.constants:
        if isinstance(one, Sequence | Table):
            ways, whole = _plain(one)
            found += ways
            complete = complete and whole
        else:
            found.append(one)
    return found, complete


def _plain(one: Sequence | Table) -> tuple[list[Any], bool]:
    if isinstance(one, Sequence):
        rows, complete = together(one.items)
        return [list(row) for row in rows], complete and one.exact
    keys, keys_known = together([key for key, _ in one.pairs])
    held, held_known = together([value for _, value in one.pairs])
    pairs = itertools.islice(itertools.product(keys, held), MAX_WAYS)
    tables = [dict(zip(names, row, strict=True)) for names, row in pairs]
    return tables, keys_known and held_known and len(keys) * len(held) <= MAX_WAYS


def together(values: Iterable[Value]) -> tuple[list[tuple[Any, ...]], bool]:
    """Every way in which several values may come out together, and whether these are all."""
    columns: list[list[Any]] = []
    complete, ways = True, 1
    for value in values:
        column, known = alternatives(value)
        columns.append(column or [""])  # what is undefined shows nothing, or says so
        complete = complete and known and bool(column)
        ways = min(ways * len(column), MAX_WAYS + 1)
    rows = list(itertools.islice(itertools.product(*columns), MAX_WAYS))
    return rows, complete and ways <= MAX_WAYS


def lift(plain: Any) -> Value:
    """A plain Python value as a `Value`; what is too long is cut, and then computed."""
    if isinstance(plain, str):
        return Value((plain[:MAX_LENGTH],), COMPUTED if len(plain) > MAX_LENGTH else 0)
    if isinstance(plain, list | tuple):
        if len(plain) > MAX_LENGTH:
            return COMPUTED_VALUE
        return Value((Sequence(tuple(lift(one) for one in plain)),))
    if isinstance(plain, dict):
        return Value((Table(tuple((lift(key), lift(held)) for key, held in plain.items())),))
    if plain is None or isinstance(plain, bool | int | float):
        return Value((plain,))
    return COMPUTED_VALUE
