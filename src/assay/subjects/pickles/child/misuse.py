"""What is wrong with a call, a state or an item, in words that follow a global's name; "" for nothing."""

from __future__ import annotations

from collections.abc import Sequence

from . import numpy_dtype
from .patterns import Pattern
from .readings import Reading
from .rules import FREE, LABELS, METHODS, Arguments, Rule

MAX_LOOKED_AT = 64  # items of an argument or of an attribute's value
PAIR = 2  # of attributes and slots
ESCAPE = "passes {0} on as a value, which no framework does"


def of_call(
    rule: Rule, args: Sequence[object], reading: Reading, *, how: str = "REDUCE", keywords: bool = False
) -> str:
    """Of calling a global with these arguments, by the opcode `how`."""
    if rule is FREE:
        return ""
    if rule.arguments is None:
        return "which frameworks only name and never call"
    if keywords:
        return "with keyword arguments, which no framework writes"
    if rule.use == "instance" and how == "REDUCE":
        return "which frameworks make by its __new__ alone, without calling it"
    ways = rule.arguments
    reasons = [_arguments(way, args, reading) for way in ways]
    way = next((way for way, reason in zip(ways, reasons, strict=True) if not reason), ways[0])
    reason = "" if "" in reasons else reasons[0]
    if rule.relays and not reason and len(args) > rule.relays:
        relayed = reading.rule(args[0])
        reason = of_call(relayed, reading.items(args[rule.relays]), reading) if relayed else ""
    for index, value in enumerate(args):
        if reason:
            break
        if rule.relays and index == rule.relays:
            continue  # judged as what they are passed to takes them
        taken = index < len(way.patterns) and way.patterns[index].attributes
        reason = _dict_or_parts(rule, value, reading) if taken else _nested(value, reading)
    return reason


def of_result(rule: Rule | None, args: Sequence[object], reading: Reading) -> str:
    """Of calling what a global gave."""
    if rule is None or rule.result is None:
        return "a computed callable"
    return _fits(rule.result, None, args, reading)


def of_state(rule: Rule, target: object, state: object, reading: Reading) -> str:
    """Of giving a state to what a global made."""
    if rule.state == "none":
        return "takes no state from a pickle"
    if rule.state == "numpy-dtype":
        return numpy_dtype.misuse(target, state, reading)
    if rule.state == "items":
        return _parts(rule, state, reading)
    if rule.state == "dict" and reading.kind(state) not in {"dict", "none", "unknown"}:
        return "is no dict of attributes, which alone frameworks give it"
    return _dict_or_parts(rule, state, reading)


def of_item(rule: Rule, key: object, value: object, reading: Reading) -> str:
    """Of setting an item, under a key where there is one, on what a global made."""
    if not rule.items or (rule.items == "attributes" and key is None):
        return "takes no items from a pickle"
    if rule.items == "attributes":
        return _attribute(rule, key, value, reading)
    return ""


def _arguments(way: Arguments, args: Sequence[object], reading: Reading) -> str:
    return _fits(way.patterns, way.more, args, reading)


def _fits(patterns: Sequence[Pattern], more: Pattern | None, args: Sequence[object], reading: Reading) -> str:
    for index, value in enumerate(args):
        pattern = patterns[index] if index < len(patterns) else more
        if pattern is None:
            return "with more arguments than frameworks write"
        if not pattern.fits(value, reading):
            return f"where argument {index + 1} is not {pattern.text}"
    return ""


def _parts(rule: Rule, state: object, reading: Reading) -> str:
    if reading.kind(state) != "tuple":
        return "is no tuple"
    for index, value in enumerate(reading.items(state)):
        pattern = rule.parts[index] if index < len(rule.parts) else None
        if pattern is None or not pattern.fits(value, reading):
            expected = pattern.text if pattern else "written by any framework"
            return f"has an item {index + 1} that is not {expected}"
        if pattern.attributes:
            reason = _dict_or_parts(rule, value, reading)
            if reason:
                return reason
    return ""


def _dict_or_parts(rule: Rule, state: object, reading: Reading) -> str:
    """Attributes, or the pair of attributes and slots that BUILD takes."""
    parts = reading.items(state)[:MAX_LOOKED_AT] if reading.kind(state) in {"tuple", "list"} else (state,)
    for part in parts:
        if reading.kind(part) == "dict":
            reason = _attributes(rule, part, reading)
        else:
            reason = _passed_on(part, reading) or (_hiding(part, reading) if len(parts) <= PAIR else "")
        if reason:
            return reason
    return ""


def _hiding(state: object, reading: Reading) -> str:
    """Whether a state is no dict but reads as one: `pickle`'s Python machine and `__setstate__` take it."""
    if reading.kind(state) != "object":
        return ""
    rule = reading.rule(state)
    takes = rule is not None and rule.use and rule.items
    return f"hides its attributes in {reading.made_by(state)[:100]}(…)" if takes else ""


def _attributes(rule: Rule, attributes: object, reading: Reading) -> str:
    for key, value in reading.pairs(attributes):
        reason = _attribute(rule, key, value, reading)
        if reason:
            return reason
    return ""


def _attribute(rule: Rule, key: object, value: object, reading: Reading) -> str:
    if type(key) is str:
        pattern = rule.attributes.get(key)
        if pattern is not None and not pattern.fits(value, reading):
            return f"sets {key} to something that is not {pattern.text}"
        if pattern is None and key[:2] == "__" == key[-2:] and key not in LABELS:
            return f"sets {key[:60]}, which Python obeys by itself"
        if key in METHODS and _can_be_called(value, reading):
            return f"sets {key} to something that can be called, in place of the method"
        if pattern is not None:
            return _nested(value, reading)
        if rule.only:
            return f"sets {key[:60]}, which no framework writes"
    elif reading.kind(key) == "object":
        return "sets an attribute whose name is computed"
    return _passed_on(value, reading) or _nested(value, reading)


def _can_be_called(value: object, reading: Reading) -> bool:
    if reading.named(value):
        return True
    rule = reading.rule(value)
    return rule is not None and rule.callable


def _nested(value: object, reading: Reading) -> str:
    """Whether a value directly holds a global that may only be called."""
    if reading.kind(value) in {"tuple", "list"}:
        for item in reading.items(value)[:MAX_LOOKED_AT]:
            reason = _passed_on(item, reading)
            if reason:
                return reason
    return ""


def _passed_on(value: object, reading: Reading) -> str:
    name = reading.named(value)
    rule = reading.rule(value) if name else None
    return ESCAPE.format(name[:200]) if rule is not None and not rule.named else ""


def of_value(value: object, reading: Reading) -> str:
    """Of a global that is put aside instead of being called at once."""
    rule = reading.rule(value)
    return "is put aside as a value, while frameworks only call it at once" if rule and rule.watch else ""
