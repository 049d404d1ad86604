"""In what shape frameworks write the globals that are allowed; all other shapes are misuse.

The rules come from the parent as text, a line for each group of names: module, names, use, and fields
`key=value`, parted by tabs. Both machines ask the same functions, through a `Reading` of their own values.
"""

from __future__ import annotations

from collections.abc import Mapping

from .patterns import Pattern

Rules = Mapping[tuple[str, str], "Rule"]
# Methods that unpicklers and allowed calls look up on an instance, whose attributes come before its class's.
_METHODS = ("add append call close copy extend fit forward get items keys pop predict read readinto readline "
            "send setdefault throw update values write")  # fmt: skip
METHODS = frozenset(_METHODS.split())
# These, and all attributes of which a rule that was parsed says what they must be: the walk keeps them.
ASKED_FOR = set(METHODS)
# Attributes `__like_this__` that no operation of an instance looks up; torch/jit/_recursive.py sets one.
LABELS = frozenset({"__overloads__", "__constants__", "__doc__", "__orig_class__"})
# Where an entry says nothing else, by use.
_CALLED_WITH = {"class": "", "instance": "", "call": "", "enum": "data"}
_STATES = {"instance": "dict", "enum": "none"}


class Rule:
    """How one global may be used.

    Attributes:
        use: `class` (named, made without arguments, given attributes), `instance` (the same, but made by its
            `__new__` alone, which no `__init__` follows, and its attributes are a dict), `enum` (called with
            the value of a member), `type`, `function` or `constant` (only named), `call` (only called, at
            once), `array` (an argument of a call that asks for it).
        named: whether it may stand as a value.
        arguments: what it may be called with, one way or another; None where it is never called.
        state: "" or `slots` for attributes and slots, `dict` for attributes alone, `none`, `numpy-dtype`, or
            `items` for a tuple of `parts`.
        parts: what the items of a tuple state must be.
        attributes: what some attributes must be.
        only: whether there are no others.
        items: "" where none can be set on an instance, `any`, or `attributes` where they read as such.
        callable: whether its instances can be called.
        makes: whether what it gives is an instance of its first argument.
        gives: the kind of value that it gives, where that is a plain one.
        result: what its result may be called with; None where it may not.
        relays: where, among its arguments, that tuple is that its first argument is called with; 0: nowhere.
        watch: whether it may be nowhere but where it is called, which only the walk can tell.
    """

    __slots__ = (
        "arguments", "attributes", "callable", "gives", "items", "makes", "named", "only", "parts", "relays",
        "result", "state", "use", "watch",
    )  # fmt: skip

    def __init__(self, use: str, fields: Mapping[str, str]) -> None:
        flags = fields.get("flags", "").split()
        self.use = use
        self.named = (use not in {"call", "array"} or "named" in flags) and "unnamed" not in flags
        self.arguments = _arguments(use, fields.get("arguments"))
        self.parts = _patterns(fields.get("parts", ""))
        self.state = "items" if self.parts else fields.get("state", _STATES.get(use, ""))
        pairs = (pair.partition(":") for pair in fields.get("attributes", "").split(";") if pair)
        self.attributes = {name: Pattern(text) for name, _, text in pairs}
        self.only = "only" in flags
        self.items = fields.get("items", "")
        self.callable = "callable" in flags
        self.makes = "makes" in flags
        self.gives = fields.get("gives", "")
        self.result = _patterns(fields["result"]) if "result" in fields else None
        self.relays = int(fields.get("relays", "0"))
        self.watch = "watch" in flags

    @property
    def notes(self) -> bool:
        """Whether its instances must be remembered with the arguments they were made with."""
        return self.state == "numpy-dtype" or self.gives == "bytes"


def _patterns(text: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern, filter(None, text.split(";"))))


class Arguments:
    """One way to call something: a pattern for each argument, and one for all further ones, or None."""

    __slots__ = ("more", "patterns")

    def __init__(self, text: str) -> None:
        listed = text.split(";")
        self.more = Pattern(listed.pop()[4:]) if listed[-1].startswith("... ") else None
        self.patterns = _patterns(";".join(listed))


def _arguments(use: str, text: str | None) -> tuple[Arguments, ...] | None:
    text = _CALLED_WITH.get(use) if text is None else text
    return None if text is None else tuple(map(Arguments, text.split("|")))


# Of globals that no list knows: the parent judges their names; only what is wrong for every class is told.
FREE = Rule("", {"arguments": "... any", "items": "any"})


# How long joblib's arrays are follows from the dtype's state, so that is followed whatever the parent says.
NO_RULES: Rules = {
    ("numpy", "dtype"): Rule("class", {"arguments": "... any", "items": "any", "state": "numpy-dtype"})
}


def parse(text: str) -> Rules:
    """The rules by module and name."""
    rules = dict(NO_RULES)
    for line in text.splitlines():
        module, names, use, *fields = line.split("\t")
        rule = Rule(use, dict(field.split("=", 1) for field in fields))
        ASKED_FOR.update(rule.attributes)
        for name in names.split(" "):
            rules[(module, name)] = rule
    return rules
