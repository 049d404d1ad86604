"""The tree of a template: texts, outputs, and blocks with what stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from assay.subjects.jinja.expressions import ExpressionParser, Node
from assay.subjects.jinja.lexer import JinjaSyntaxError, Segment, segments

MAX_NESTING = 60
_BODIES = {"for", "if", "macro", "call", "filter", "block", "with", "autoescape", "generation", "trans"}
_BRANCHES = {"elif", "else", "pluralize"}
_LINKING = {"include", "import", "from", "extends"}


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that come out as they stand; `comment`: that do not come out."""

    text: str
    at: int
    comment: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ expression }}`."""

    node: Node
    at: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A block that Jinja would not compile, as it stands."""

    text: str
    at: int


@dataclass(slots=True)
class Branch:
    """What a block holds, and the expressions of its head, or of its `elif`."""

    expressions: tuple[Node, ...]
    body: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """`{% keyword … %}`, with its branches where it has bodies.

    Attributes:
        keyword: its first word.
        at: its place.
        target: what `set` and `for` assign to; the parameters of a `call`.
        branches: at least one; an assignment or a jump has one without a body.
    """

    keyword: str
    at: int
    target: Node | None
    branches: list[Branch]


Item: TypeAlias = Text | Output | Block | Broken


@dataclass(frozen=True, slots=True)
class Template:
    """A template: its items, and whether Jinja would compile all of it."""

    items: tuple[Item, ...]
    whole: bool


def parse(source: str) -> Template:
    """Read a template. What cannot be read is kept as `Broken`, and all else is read on.

    Raises:
        LimitError: it has more blocks than will be followed.
    """
    builder = _Builder()
    for segment in segments(source):
        builder.add(segment)
    return Template(tuple(builder.root), builder.whole and not builder.open)


class _Builder:
    def __init__(self) -> None:
        self.root: list[Item] = []
        self.open: list[Block] = []
        self.whole = True

    def add(self, segment: Segment) -> None:
        if segment.kind in {"text", "comment"}:
            self._append(Text(segment.text, segment.at, segment.kind == "comment"))
            return
        try:
            if segment.kind == "broken":
                raise JinjaSyntaxError("a block cannot be read")  # noqa: TRY301  one way for all that is broken
            if segment.kind == "output":
                parser = ExpressionParser(segment.tokens)
                self._append(Output(_all(parser, parser.sequence()), segment.at))
            else:
                self._statement(segment)
        except JinjaSyntaxError:
            self.whole = False
            text = segment.text or " ".join(token.text for token in segment.tokens)
            self._append(Broken(text, segment.at))

    def _append(self, item: Item) -> None:
        (self.open[-1].branches[-1].body if self.open else self.root).append(item)

    def _statement(self, segment: Segment) -> None:
        parser = ExpressionParser(segment.tokens)
        word = parser.take()
        if word.kind != "name":
            raise JinjaSyntaxError("a statement has no name")
        keyword = word.text
        if keyword.startswith("end") and keyword != "end":
            self._close(keyword[3:])
        elif keyword in _BRANCHES and self.open:
            heads = (parser.sequence(),) if keyword == "elif" else ()
            self.open[-1].branches.append(Branch(heads))
        else:
            block = _block(keyword, segment.at, parser)
            self._append(block)
            if keyword in _BODIES or (keyword == "set" and not block.branches[0].expressions):
                if len(self.open) >= MAX_NESTING:
                    raise JinjaSyntaxError("blocks nest too deep")
                self.open.append(block)

    def _close(self, keyword: str) -> None:
        if not self.open or self.open[-1].keyword != keyword:
            raise JinjaSyntaxError(f"`end{keyword}` closes nothing")
        self.open.pop()


def _all(parser: ExpressionParser, node: Node) -> Node:
    if parser.token.kind != "end":
        raise JinjaSyntaxError("more follows an expression")
    return node


def _block(keyword: str, at: int, parser: ExpressionParser) -> Block:
    if keyword == "set":
        return _set(at, parser)
    if keyword == "for":
        return _for(at, parser)
    parameters = parser.arguments() if keyword == "call" else ()
    target = Node("list", at, children=parameters) if parameters else None
    return Block(keyword, at, target, [Branch(_heads(keyword, at, parser))])


def _set(at: int, parser: ExpressionParser) -> Block:
    target = parser.sequence()
    if parser.accept("="):
        value = _all(parser, parser.sequence())
        return Block("set", at, target, [Branch((value,))])
    return Block("set", at, target, [Branch(())])  # its value is the body


def _for(at: int, parser: ExpressionParser) -> Block:
    # `a in b` would read as a comparison: the targets are names, commas and brackets only.
    names: list[Node] = []
    while not parser.accept("in"):
        token = parser.take()
        if token.kind == "end":
            raise JinjaSyntaxError("`in` is missing")
        if token.kind == "name":
            names.append(Node("name", token.at, token.text))
    target = names[0] if len(names) == 1 else Node("list", at, children=tuple(names))
    heads = [parser.sequence(stops=("if", "recursive"))]
    while parser.accept("if"):
        heads.append(parser.expression())
    parser.accept("recursive")
    return Block("for", at, target, [Branch(tuple(heads))])


def _heads(keyword: str, at: int, parser: ExpressionParser) -> tuple[Node, ...]:
    """The expressions of any other statement; words between them say nothing to us."""
    if keyword == "filter":
        name = parser.take()
        call = Node("filter", name.at, name.text, children=(Node("const", at, value=""),))
        return (parser.filters(call),)
    if keyword in {"else", "break", "continue", "generation"}:
        return ()
    heads: list[Node] = []
    while parser.token.kind != "end":
        if keyword in _LINKING and parser.accept(
            "import", "as", "with", "without", "context", "ignore", "missing"
        ):
            continue
        if parser.accept(",", "="):
            continue
        heads.append(parser.expression())
    return tuple(heads)
