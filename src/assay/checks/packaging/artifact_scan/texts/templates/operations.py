"""Operations of Jinja on constants, as far as they are followed; anything else raises `UnfollowedError`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from assay.checks.packaging.artifact_scan.texts.templates.values import (
    COMPUTED_VALUE,
    MAX_LENGTH,
    NOTHING,
    NUMBER,
    Value,
    lift,
    together,
    unfolded,
    union,
)

_FIELD = re.compile(r"\{\w{0,20}\}")
_PLAIN = re.compile(r"[\w.-]*", re.ASCII)
_ROOM = MAX_LENGTH * 16  # characters that an operation may put together before they are cut
_LARGEST = 1 << 62
METHODS = frozenset({
    "lower", "upper", "title", "capitalize", "swapcase", "casefold", "strip", "lstrip", "rstrip",
    "replace", "join", "removeprefix", "removesuffix", "split", "rsplit", "splitlines", "partition",
    "rpartition", "center", "ljust", "rjust", "zfill", "format",
})  # fmt: skip


class UnfollowedError(Exception):
    """An operation whose result is not worked out; its result counts as computed."""


def apply(act: Callable[..., Any], values: list[Value], named: Mapping[str, Value] | None = None) -> Value:
    """What an operation comes to on every way its operands come out together."""
    names = list(named or {})
    operands = [Value(("",)) if one == NOTHING else one for one in (*values, *(named or {}).values())]
    rows, complete = together(operands)
    found: list[Value] = []
    for row in rows:
        given, extra = row[: len(values)], dict(zip(names, row[len(values) :], strict=True))
        try:
            found.append(lift(act(*given, **extra)))
        except (LookupError, StopIteration):
            continue  # Jinja would give nothing
        except (UnfollowedError, TypeError, ValueError, AttributeError, OverflowError):
            complete = False
            if any(one is None or isinstance(one, list | dict) for one in row):
                found.append(COMPUTED_VALUE)  # the letters in which they are shown
    return union([*found, *([] if complete else [unfolded(*operands)])])


def method(name: str) -> Callable[..., Any]:
    """A method of strings, called with its text first."""

    def act(held: Any, *given: Any, **named: Any) -> Any:
        if not isinstance(held, str):
            raise UnfollowedError
        if name == "format" and not _fills_only(held):
            raise UnfollowedError
        _fits(held, (*given, *named.values()))
        return getattr(held, name)(*given, **named)

    return act


def _fits(held: str, given: tuple[Any, ...]) -> None:
    """Give up where an operation could make much more of a text than it was given.

    Raises:
        UnfollowedError: it could.
    """
    lengths = [len(one) for one in given if isinstance(one, str)]
    lengths += [len(item) for one in given if isinstance(one, list) for item in one if isinstance(item, str)]
    widths = [one for one in given if isinstance(one, int)]
    if sum(lengths) * max(len(held), 1) > _ROOM * 16 or max(widths, default=0) > MAX_LENGTH:
        raise UnfollowedError


def _fills_only(text: str) -> bool:
    """Whether `format` would only put its arguments between the letters."""
    rest = _FIELD.sub("", text)
    return "{" not in rest and "}" not in rest


def percent(text: Any, given: Any) -> Any:
    """`text % given`, where neither widths nor attributes are in it."""
    if not isinstance(text, str):
        return _arithmetic("%", text, given)
    bare = re.sub(r"\(\w{0,40}\)", "", text)
    if len(text) > MAX_LENGTH or any(character.isdigit() or character == "*" for character in bare):
        raise UnfollowedError  # a width in it could be a bomb
    parts = given if isinstance(given, list) else list(given.values()) if isinstance(given, dict) else [given]
    if any(isinstance(one, list | dict) for one in parts):
        raise UnfollowedError  # a tuple shows itself differently
    _fits(text, tuple(parts))
    return text % (tuple(given) if isinstance(given, list) else given)


def times(left: Any, right: Any) -> Any:
    """`left * right`, cut where it is long."""
    if isinstance(left, int) and isinstance(right, str | list):
        left, right = right, left
    if isinstance(left, str | list) and isinstance(right, int):
        return left * min(right, MAX_LENGTH // max(len(left), 1) + 1)
    return _arithmetic("*", left, right)


def plus(left: Any, right: Any) -> Any:
    """`left + right` of numbers."""
    return _arithmetic("+", left, right)


def minus(left: Any, right: Any) -> Any:
    """`left - right` of numbers."""
    return _arithmetic("-", left, right)


def floor_divided(left: Any, right: Any) -> Any:
    """`left // right` of numbers."""
    return _arithmetic("//", left, right)


def power(left: Any, right: Any) -> int:
    """`left ** right` of whole numbers, cut where it is large."""
    if not isinstance(left, int) or not isinstance(right, int) or right < 0:
        raise UnfollowedError
    if abs(left) > 1 and right * abs(left).bit_length() > 128:  # noqa: PLR2004  beyond it either way
        return _LARGEST
    return int(left**right) if abs(left) > 1 else int(left ** (right % 2 + 2 if right else 0))


def _arithmetic(operator: str, left: Any, right: Any) -> int:
    if not isinstance(left, int) or not isinstance(right, int) or max(abs(left), abs(right)) > _LARGEST:
        raise UnfollowedError
    if operator in {"//", "%"}:
        if not right:
            raise ValueError("divided by zero")
        return left // right if operator == "//" else left % right
    return {"*": left * right, "+": left + right, "-": left - right}[operator]


def sliced(held: Any, *bounds: Any) -> Any:
    """`held[start:stop:step]` of a string or list."""
    if not isinstance(held, str | list):
        raise UnfollowedError
    return held[slice(*(*bounds, None) if len(bounds) == 1 else bounds)]


def joined(held: Any, between: Any = "", *rest: Any) -> str:
    """`held|join(between)`."""
    if rest or not isinstance(held, str | list | dict):
        raise UnfollowedError
    items = [_text(one) for one in held]
    if len(str(between)) * len(items) + sum(map(len, items)) > _ROOM * 16:
        raise UnfollowedError
    return str(between).join(items)


def _text(one: Any) -> str:
    if isinstance(one, list | dict):
        raise UnfollowedError  # a tuple shows itself differently
    return str(one)


def _replaced(held: Any, old: Any, new: Any, *count: Any) -> str:
    text, old, new = _text(held), str(old), str(new)
    _fits(text, (new,))
    return text.replace(old, new, *count)


def _formatted(text: Any, *given: Any, **named: Any) -> Any:
    return percent(_text(text), dict(named) if named else list(given))


def _one(method_name: str) -> Callable[..., Any]:
    return lambda held: getattr(_text(held), method_name)()


def _titled(held: Any) -> str:
    words = re.split(r"([-\s({\[<]+)", _text(held))
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _centered(held: Any, width: Any = 80) -> str:
    if not isinstance(width, int) or width > MAX_LENGTH:
        raise UnfollowedError
    return _text(held).center(width)


def _same(held: Any) -> Any:
    if not isinstance(held, str) or not _PLAIN.fullmatch(held):
        raise UnfollowedError
    return held


def _items(held: Any) -> list[Any]:
    if not isinstance(held, dict):
        raise UnfollowedError
    return [[key, value] for key, value in held.items()]


def _sorted(held: Any) -> list[Any]:
    return sorted(held, key=lambda one: one.lower() if isinstance(one, str) else one)


def _listed(held: Any) -> list[Any]:
    return list(held)[:MAX_LENGTH]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "lower": _one("lower"), "upper": _one("upper"), "title": _titled, "trim": method("strip"),
    "capitalize": _one("capitalize"), "string": _text, "safe": lambda held: held, "list": _listed,
    "join": joined, "replace": _replaced, "center": _centered,
    "reverse": lambda held: held[::-1], "sort": _sorted, "items": _items,
    "first": lambda held: next(iter(held)), "last": lambda held: list(held)[-1],
    "format": _formatted, "e": _same, "escape": _same, "urlencode": _same,
}  # fmt: skip
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "*": times, "%": percent, "-": minus, "**": power, "//": floor_divided,
}  # fmt: skip


def concatenated(parts: list[Value], edged: Callable[[list[str], list[str]], bool], flag: int) -> Value:
    """Strings put together, as `~` does; what is not known between them may be nothing.

    Args:
        parts: The operands, in order.
        edged: Whether what begins, or ends, so can be no dangerous name.
        flag: What the result counts as where it is so.
    """
    known = [_pieces(part) for part in parts]
    rows, few = together([Value(tuple(pieces or [""])) for pieces, _ in known])
    constants = union(lift("".join(map(str, row))) for row in rows)
    if few and all(complete for _, complete in known):
        return constants
    certain: list[list[Any] | None] = [
        ["0"] if part.flags == NUMBER and not part.strings else None for part in parts
    ]
    certain = [
        edge or (pieces if complete else None)
        for edge, (pieces, complete) in zip(certain, known, strict=True)
    ]
    rest = Value(flags=flag) if edged(_edge(certain), _edge(certain[::-1])) else COMPUTED_VALUE
    return union([constants, rest]) if any(constants.strings) else rest


def _pieces(part: Value) -> tuple[list[Any], bool]:
    plain = [one for one in part.constants if one is None or isinstance(one, str | int | float)]
    return plain, not part.flags and not part.cut and len(plain) == len(part.constants)


def _edge(certain: list[list[Any] | None]) -> list[str]:
    """What a text begins with for certain; nothing where that is not known."""
    for pieces in certain:
        if pieces is None:
            return []
        texts = [str(piece) for piece in pieces]
        if any(texts):
            return texts if all(texts) else []
    return []
