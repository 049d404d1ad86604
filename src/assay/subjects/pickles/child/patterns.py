"""What an argument or an attribute may be, in words: `bytes or text`, `class or none`, `=latin1`.

| word | fits |
| --- | --- |
| `none`, `bool`, `integer`, `number`, `text`, `bytes`, `tuple`, `list`, `dict`, `set` | such a value |
| `object` | what calling an allowed global gave |
| `data` | any of the plain values above, nothing that was called or named |
| `absent` | nothing: an attribute that may not be set at all |
| `any` | everything but a global that may not be passed on |
| `class`, `enum`, `function`, `constant`, `array` | a global that is used so, or that no list knows |
| `member` | a text that can be the name of a member of an enumeration |
| `base` | a class of Python's own that others are derived from |
| `integers`, `empty` | a tuple of integers; the shape (0,) |
| `attributes` | a dict that is taken as attributes, or none |
| `=text`, `tuple:a,b` | exactly this text; a tuple of these texts alone |
| `a.name`, `a.name()`, `a.*()` | this global; what this global made; what any global of this module made |
| `file-name` | the name of a file, in no other folder |
| `interpolation` | a text in which OmegaConf would call nothing that evaluates Python |
| `legacy-torch` | bytes that begin as a legacy PyTorch file does |
| `scipy-signatures` | the functions that scipy.stats makes of a distribution's shapes, and executes |
"""

from __future__ import annotations

from collections.abc import Callable

from . import texts
from .readings import Reading

_PLAIN = frozenset({"none", "bool", "integer", "number", "text", "bytes", "tuple", "list", "dict", "set"})
_BUILT_IN = frozenset({"object", "dict", "list", "tuple", "int", "long", "float", "str", "unicode", "bytes",
                       "set", "frozenset", "complex"})  # fmt: skip
_BASES = {
    "builtins": _BUILT_IN,
    "__builtin__": _BUILT_IN,
    "collections": frozenset({"OrderedDict", "defaultdict", "deque"}),
}
_NUMBERS = frozenset({"bool", "integer", "number"})
_LEGACY_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
Check = Callable[[object, Reading], bool]


class Pattern:
    """One pattern, ready to be compared with values.

    Attributes:
        text: what it asks for, for people.
        attributes: whether what fits it is taken as attributes.
    """

    __slots__ = ("_checks", "_kinds", "attributes", "text")

    def __init__(self, text: str) -> None:
        self.text = " or ".join(map(_said, text.split(" or ")))
        words = text.split(" or ")
        self.attributes = "attributes" in words
        kinds: set[str] = {"unknown"}
        checks: list[Check] = []
        for word in words:
            if word in _KINDS:
                kinds |= _KINDS[word]
            else:
                checks.append(_CHECKS.get(word) or _named(word))
        self._kinds = frozenset(kinds)
        self._checks = tuple(checks)

    def fits(self, value: object, reading: Reading) -> bool:
        """Whether a value is what the pattern asks for."""
        return reading.kind(value) in self._kinds or any(check(value, reading) for check in self._checks)


def _said(word: str) -> str:
    if word.startswith("="):
        return f"'{word[1:]}'"
    if word.startswith("tuple:"):
        return "a tuple of these"
    return _SAID.get(word, f"a result of {word[:-2]}" if word.endswith("()") else word)


def _used_as(*uses: str) -> Check:
    def check(value: object, reading: Reading) -> bool:
        if not reading.named(value):
            return False
        rule = reading.rule(value)
        return rule is None or (rule.named and rule.use in {"", *uses})

    return check


def _array_class(value: object, reading: Reading) -> bool:
    rule = reading.rule(value)
    return bool(reading.named(value)) and (rule is None or rule.use in {"", "array"})


def _base(value: object, reading: Reading) -> bool:
    module, _, name = reading.named(value).rpartition(".")
    return name in _BASES.get(module, ())


def _any(value: object, reading: Reading) -> bool:
    rule = reading.rule(value) if reading.named(value) else None
    return rule is None or rule.named


def _integers(value: object, reading: Reading) -> bool:
    return reading.kind(value) == "tuple" and all(reading.kind(n) == "integer" for n in reading.items(value))


def _empty(value: object, reading: Reading) -> bool:
    return reading.kind(value) == "tuple" and tuple(reading.items(value)) == (0,)


def _texts(value: object, allowed: frozenset[str], reading: Reading) -> bool:
    return reading.kind(value) == "tuple" and all(
        reading.kind(item) == "text" and item in allowed for item in reading.items(value)
    )


def _legacy_torch(value: object, reading: Reading) -> bool:
    if reading.kind(value) != "bytes":
        return False
    raw = reading.raw(value)
    return bytes(raw[: len(_LEGACY_TORCH)]) == _LEGACY_TORCH


def _named(word: str) -> Check:
    if word in texts.CHECKS:
        return lambda value, _: type(value) is str and texts.CHECKS[word](value)
    if word.startswith("="):
        return lambda value, reading: reading.kind(value) == "text" and value == word[1:]
    if word.startswith("tuple:"):
        allowed = frozenset(word[6:].split(","))
        return lambda value, reading: _texts(value, allowed, reading)
    if word.endswith(".*()"):
        return lambda value, reading: reading.made_by(value).rpartition(".")[0] == word[:-4]
    if word.endswith("()"):
        return lambda value, reading: reading.made_by(value) == word[:-2]
    return lambda value, reading: reading.named(value) == word


_KINDS: dict[str, frozenset[str]] = {
    **{kind: frozenset({kind}) for kind in (*_PLAIN, "object")},
    "number": _NUMBERS,
    "data": _PLAIN,
    "attributes": frozenset({"dict", "none"}),
}
_SAID = {
    **texts.SAID,
    "bool": "a bool", "integer": "an integer", "number": "a number", "tuple": "a tuple", "list": "a list",
    "dict": "a dict", "set": "a set", "object": "an object", "data": "plain data", "any": "a value",
    "class": "a known class", "array": "a class of arrays", "base": "a class of Python's own",
    "function": "a known function", "constant": "a known constant", "enum": "a known enumeration",
    "absent": "left out, since it would have code evaluated",
    "integers": "a tuple of integers", "empty": "the shape (0,)", "attributes": "attributes",
    "legacy-torch": "a legacy PyTorch file",
}  # fmt: skip
_CHECKS: dict[str, Check] = {
    "absent": lambda *_: False,
    "any": _any,
    "array": _array_class,
    "base": _base,
    "class": _used_as("class", "instance", "type"),
    "enum": _used_as("enum"),
    "function": _used_as("function"),
    "constant": _used_as("constant"),
    "integers": _integers,
    "empty": _empty,
    "legacy-torch": _legacy_torch,
}
