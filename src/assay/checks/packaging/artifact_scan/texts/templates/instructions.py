"""Templates that speak to the model behind the user's back.

A template may add any words to a conversation, and may do so only when a trigger stands in a message or after
a date: the poisoned templates that no test with other prompts will ever show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.checks.packaging.artifact_scan.texts import phrases
from assay.checks.packaging.artifact_scan.texts.templates.folding import Folder
from assay.checks.packaging.artifact_scan.texts.templates.tree import expressions, literals, visit, words
from assay.core.finding import Severity
from assay.subjects.jinja import Block, Item, Node, walk

MIN_WORDS = 5  # that a branch must bring along to count as speaking
_CONTENT = frozenset({
    "content", "text", "query", "prompt", "question", "instruction", "user_message", "system_message",
    "user_input", "last_message", "user_prompt", "system_prompt", "reasoning_content", "parts",
})  # fmt: skip
# What templates ask of a content to tell its kind, not its words.
_KINDS = frozenset({
    "system", "user", "assistant", "tool", "function", "developer", "ipython", "model", "text", "image",
    "video", "audio", "image_url", "input_audio", "video_url", "json", "string", "object", "array",
    "content", "none",
})  # fmt: skip
_MARKUP = re.compile(r"\s*(?:[<\[(|/{#`*_\\\W]|[A-Z_]+$)")
_TAGS = re.compile(r"<[^<>]{0,60}>|\[/?[A-Z_]{2,30}\]")
_WORD = re.compile(r"(?<![\w])[^\W\d_]{2,}(?:['’-][^\W\d_]+)?")  # noqa: RUF001  apostrophes as typed
# Templates for tools ask the model not to talk about the calls themselves.
_TACT = frozenset({"injection/conceal"})
_ASKS = frozenset({"startswith", "endswith", "find", "index", "count", "rfind", "split"})
_TESTS = frozenset({"eq", "equalto", "in", "==", "ne", "sameas"})
_URL = re.compile(r"(!\[[^\]\n]{0,200}\]\()?\b(?:https?|wss?|ftp)://[^\s\"'<>()\[\]{}`]+", re.IGNORECASE)
_CARRIES = ("=", "?", "&", "/")


@dataclass(frozen=True, slots=True)
class Hint:
    """One reason to think that a template hides an instruction."""

    severity: Severity
    what: str


def hints(items: tuple[Item, ...], folder: Folder) -> Iterator[Hint]:
    """All reasons there are."""
    texts = list(words(items))
    for text in texts:
        yield from _addresses(text)
    spoken = {match.text: match for way in ("", "\n") for match in phrases.find(way.join(texts))}
    alone = {match.rule for match in spoken.values()} <= _TACT
    for match in spoken.values():
        severity = Severity.LOW if alone else Severity.HIGH
        yield Hint(severity, f"says {match.text[:80]!r} ({match.rule})")
    yield from _triggered(items, folder)


def _addresses(text: str) -> Iterator[Hint]:
    for match in _URL.finditer(text):
        address = match.group()
        shown = repr(address[:80])
        if match.group(1):
            yield Hint(
                Severity.HIGH, f"shows an image from {shown}, which tells its server what the address holds"
            )
        elif match.end() == len(text) and address.endswith(_CARRIES):
            yield Hint(Severity.HIGH, f"puts what follows into the address {shown}")
        else:
            yield Hint(Severity.MEDIUM if "?" in address else Severity.LOW, f"names the address {shown}")


def _triggered(items: tuple[Item, ...], folder: Folder) -> Iterator[Hint]:
    flags = _Flags(folder)
    for one in visit(items):
        if isinstance(one.item, Block) and one.item.keyword == "set" and one.item.target is not None:
            flags.learn(one.item)
    for one in visit(items):
        for node in expressions(one.item):
            yield from _inline(node, flags)
        if isinstance(one.item, Block) and one.item.keyword in {"if", "for"}:
            yield from _branches(one.item, flags)


def _branches(block: Block, flags: _Flags) -> Iterator[Hint]:
    for number, branch in enumerate(block.branches):
        for trigger, negated in flags.triggers(branch.expressions):
            bodies = block.branches[number + 1 :] if negated else [branch]
            prose = _prose(text for one in bodies for text in words(one.body))
            if prose:
                yield Hint(Severity.MEDIUM, f"adds {prose[:80]!r} only if {trigger}")


def _inline(node: Node, flags: _Flags) -> Iterator[Hint]:
    for one in walk(node):
        if one.kind == "cond":
            test, value, other = one.children
            for trigger, negated in flags.triggers((test,)):
                prose = _prose(literals(other if negated else value))
                if prose:
                    yield Hint(Severity.MEDIUM, f"adds {prose[:80]!r} only if {trigger}")


def _prose(texts: Iterable[str]) -> str:
    """The texts as one, without markup, where they have enough words; else nothing."""
    joined = _TAGS.sub(" ", " ".join(texts)).strip()
    runs = [line for line in joined.splitlines() if len(_WORD.findall(line)) >= MIN_WORDS]
    return " ".join(runs[0].split()) if runs else ""


class _Flags:
    """Which names hold the words of a message, which hold a date, and which whether a trigger was seen."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._contents: set[str] = set(_CONTENT)
        self._dates: set[str] = set()
        self._seen: dict[str, list[tuple[str, bool]]] = {}

    def learn(self, block: Block) -> None:
        """Take over what an assignment passes on."""
        if block.target is None:
            return
        name, heads = block.target.name, block.branches[0].expressions
        triggers = list(self.triggers(heads))
        if triggers:
            self._seen.setdefault(name, []).extend(triggers)
        elif any(self._speaks(node) for node in heads):
            self._contents.add(name)
        if any(self._tells_time(node) for node in heads):
            self._dates.add(name)

    def triggers(self, nodes: tuple[Node, ...]) -> Iterator[tuple[str, bool]]:
        """What conditions wait for, in words, and whether they wait for its absence."""
        for node in nodes:
            for one in walk(node):
                if one.kind in {"name", "attr"}:
                    yield from self._seen.get(one.name, ())
                elif one.kind == "compare":
                    yield from self._compared(one)
                elif one.kind in {"test", "call"}:
                    yield from self._asked(one)

    def _compared(self, node: Node) -> Iterator[tuple[str, bool]]:
        negated = node.name in {"not in", "!="}
        for constant, other in (node.children, node.children[::-1]):
            if self._tells_time(other) and self._folder.fold(constant):
                yield f"the date is {node.name} {self._folder.fold(constant)[0]!r}", negated
            if self._speaks(other):
                for text in self._strings(constant):
                    yield f"{text[:60]!r} stands in a message", negated

    def _asked(self, node: Node) -> Iterator[tuple[str, bool]]:
        if node.kind == "call":
            function = node.children[0]
            if function.kind != "attr" or function.name not in _ASKS:
                return
            holder = function.children[0]
        else:
            if node.name not in _TESTS:
                return
            holder = node.children[0]
        if self._speaks(holder):
            for argument in node.children[1:]:
                for text in self._strings(argument):
                    yield f"{text[:60]!r} stands in a message", node.name == "ne"

    def _strings(self, node: Node) -> Iterator[str]:
        for value in self._folder.fold(node):
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and len(_WORD.findall(text)) and not _is_markup(text):
                    yield text

    def _speaks(self, node: Node) -> bool:
        """Whether an expression holds the words of a message."""
        return any(
            (one.kind in {"name", "attr", "keyword"} and one.name in self._contents)
            or (one.kind == "const" and isinstance(one.value, str) and one.value in _CONTENT)
            or (one.kind == "filter" and one.name in {"string", "tojson"} and _is_messages(one.children[0]))
            for one in walk(node)
        )

    def _tells_time(self, node: Node) -> bool:
        return any(
            one.kind == "name" and (one.name == "strftime_now" or one.name in self._dates)
            for one in walk(node)
        )


def _is_messages(node: Node) -> bool:
    return any(one.kind == "name" and one.name.startswith("message") for one in walk(node))


def _is_markup(text: str) -> bool:
    return bool(_MARKUP.match(text)) or text.strip().lower() in _KINDS
