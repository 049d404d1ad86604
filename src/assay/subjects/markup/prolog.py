"""What an XML document declares before its root: encoding, document type, entities. Nothing is resolved.

Source: https://www.w3.org/TR/xml/, sections 2.8 and 4.2. The scan is our own, for no parser tells what it
would have fetched or how far entities would have grown without doing so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ENTITIES = 10_000
MAX_EXPANSION = 1 << 62
MAX_DOCTYPE = 1 << 22  # characters
_DECLARATION = re.compile(r"\s*<\?xml\s([^>]{0,500}?)\?>", re.DOTALL)
_ENCODING = re.compile(r"encoding\s*=\s*(['\"])([^'\"]{1,60})\1")
_SPACE = re.compile(r"\s+")
_DOCTYPE = re.compile(r"<!DOCTYPE\s+([^\s>\[]+)\s*", re.IGNORECASE)
_LITERAL = r"(\"[^\"]{0,4096}\"|'[^']{0,4096}')"
_EXTERNAL = re.compile(
    rf"(?:(SYSTEM)\s*{_LITERAL}|(PUBLIC)\s*{_LITERAL}(?:\s*{_LITERAL})?)\s*", re.IGNORECASE
)
_ENTITY = re.compile(r"<!ENTITY\s+(%\s+)?([^\s\"'>]+)\s+", re.IGNORECASE)
_REFERENCE = re.compile(r"[&%]([^\s;&%#]{1,200});")
_SUBSET_TOKEN = re.compile(r"<!--|<\?|[\"'\]]")
_CLOSING = {"<!--": "-->", "<?": "?>", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True)
class Entity:
    """A declared entity.

    Attributes:
        name: as written.
        parameter: whether it is one of the document type itself (`%name;`).
        value: what stands for it; "" where it is external.
        target: the system identifier of an external one, else "".
    """

    name: str
    parameter: bool
    value: str
    target: str


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the root element.

    Attributes:
        encoding: as declared, lower case, or "".
        doctype: whether there is a document type; its `public` and `system` identifiers.
        entities: all that are declared, up to 10,000.
        complete: whether the document type could be read to its end.
        expansion: characters that the largest entity grows to, up to 2^62.
    """

    encoding: str
    doctype: bool
    public: str
    system: str
    entities: tuple[Entity, ...]
    complete: bool
    expansion: int


def read_prolog(text: str) -> Prolog:
    """Read the declarations of a document."""
    declared = _DECLARATION.match(text)
    encoding = _ENCODING.search(declared.group(1)) if declared else None
    name = encoding.group(2).lower() if encoding else ""
    at = _past_comments(text, declared.end() if declared else 0)
    doctype = _DOCTYPE.match(text, at)
    if doctype is None:
        # A parser takes a document type in other places for an error; a lenient one may not.
        return Prolog(name, False, "", "", (), True, 0)  # noqa: FBT003  fields
    external = _EXTERNAL.match(text, doctype.end())
    public, system = _identifiers(external)
    subset, complete = _subset(text, external.end() if external else doctype.end())
    entities = tuple(_entities(subset))
    whole = complete and len(entities) < MAX_ENTITIES
    return Prolog(name, True, public, system, entities, whole, _expansion(entities))  # noqa: FBT003  a field


def _past_comments(text: str, at: int) -> int:
    """Where spaces, comments and processing instructions end."""
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        closing = next((_CLOSING[mark] for mark in ("<!--", "<?") if text.startswith(mark, at)), "")
        end = text.find(closing, at) if closing else -1
        if end < 0:
            return at
        at = end + len(closing)


def _identifiers(match: re.Match[str] | None) -> tuple[str, str]:
    if match is None:
        return "", ""
    if match.group(1):
        return "", match.group(2)[1:-1]
    return match.group(4)[1:-1], (match.group(5) or "  ")[1:-1].strip()


def _subset(text: str, at: int) -> tuple[str, bool]:
    """The internal subset without its comments, and whether its end was found."""
    if text[at : at + 1] != "[":
        return "", text[at : at + 1] == ">"
    kept: list[str] = []
    begin = position = at + 1
    limit = begin + MAX_DOCTYPE
    while match := _SUBSET_TOKEN.search(text, position, limit):
        if match.group() == "]":
            kept.append(text[begin : match.start()])
            return "".join(kept), True
        closing = _CLOSING[match.group()]
        end = text.find(closing, match.end(), limit)
        if end < 0:
            break
        position = end + len(closing)
        if match.group() == "<!--":
            kept.append(text[begin : match.start()])
            begin = position
    kept.append(text[begin:limit])
    return "".join(kept), False


def _entities(subset: str) -> Iterator[Entity]:
    count = 0
    for match in _ENTITY.finditer(subset):
        count += 1
        if count > MAX_ENTITIES:
            return
        parameter, name = bool(match.group(1)), match.group(2)
        external = _EXTERNAL.match(subset, match.end())
        if external or subset[match.end() : match.end() + 6].upper() in {"SYSTEM", "PUBLIC"}:
            _, system = _identifiers(external)
            yield Entity(name, parameter, "", system or "?")
            continue
        quote = subset[match.end() : match.end() + 1]
        end = subset.find(quote, match.end() + 1) if quote in {'"', "'"} else -1
        yield Entity(name, parameter, subset[match.end() + 1 : end] if end > 0 else "", "")


def _expansion(entities: tuple[Entity, ...]) -> int:
    """Characters that the largest entity grows to; an entity within itself counts as endless."""
    values = {entity.name: entity.value for entity in entities}
    sizes: dict[str, int] = {}
    for start in values:
        _measure(start, values, sizes)
    return max(sizes.values(), default=0)


def _measure(start: str, values: dict[str, str], sizes: dict[str, int]) -> None:
    """Add the size of `start` and all it needs to `sizes`, without recursion."""
    stack, open_names = [start], set()
    while stack:
        name = stack[-1]
        if name in sizes:
            stack.pop()
            continue
        references = [one for one in _REFERENCE.findall(values[name]) if one in values]
        missing = [one for one in dict.fromkeys(references) if one not in sizes]
        if name in open_names and missing:
            sizes[name] = MAX_EXPANSION  # it holds itself
        elif missing:
            open_names.add(name)
            stack += missing
        else:
            total = len(values[name]) + sum(sizes[one] for one in references)
            sizes[name] = min(MAX_EXPANSION, total)
