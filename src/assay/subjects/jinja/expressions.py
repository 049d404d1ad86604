"""Expressions of Jinja as trees of one kind of node.

Grammar: `jinja2.parser`. Kinds, with what their children are: `const` none; `name` none; `attr` the object;
`item` the object and its key; `call` the function and its arguments; `keyword` the value of an argument
given by name; `filter` and `test` the object and the arguments; `unary`, `binary`, `compare` the operands;
`cond` condition, value, other value; `list` the items, and its name may be `tuple`; `dict` keys and values in
turn; `slice` start, stop and maybe step, `none` where one is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.subjects.jinja.lexer import JinjaSyntaxError, Token

MAX_DEPTH = 40
_END = Token("end", "", -1)
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
_LEVELS = (("+", "-"), ("~",), ("*", "/", "//", "%"))
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_NO_ARGUMENT = {"else", "or", "and", "is", "in", "if", "not"}
_STARTS = {"(", "[", "{"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: its kind (see the module), a name or operator, a constant, its children."""

    kind: str
    at: int
    name: str = ""
    value: object = None
    children: tuple[Node, ...] = ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        pending.extend(reversed(one.children))


class ExpressionParser:
    """Reads expressions from the tokens of one block.

    Raises:
        JinjaSyntaxError: from every method, where the tokens are no expression or nest too deep.
    """

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next token; kind `end` behind the last."""
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def take(self) -> Token:
        """The next token, and go past it."""
        token = self.token
        self._next += 1
        return token

    def accept(self, *texts: str) -> bool:
        """Go past the next token if it is one of these operators or names."""
        found = self.token.kind in {"operator", "name"} and self.token.text in texts
        self._next += found
        return found

    def expect(self, text: str) -> None:
        """Go past the next token, which must be `text`."""
        if not self.accept(text):
            raise JinjaSyntaxError(f"{text!r} is missing")

    def sequence(self, *, stops: tuple[str, ...] = ()) -> Node:
        """One expression, or several with commas between them as one list, until one of the names `stops`."""
        at, items = self.token.at, [self.expression()]
        comma = False
        while self.accept(","):
            comma = True
            if self.token is _END or self.token.text in {")", "]", "=", *stops}:
                break
            items.append(self.expression())
        return Node("list", at, "tuple", children=tuple(items)) if comma else items[0]

    def expression(self) -> Node:
        """One expression, conditional ones included."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise JinjaSyntaxError("an expression nests too deep")
        value = self._or()
        while self.accept("if"):
            test = self._or()
            other = self.expression() if self.accept("else") else Node("const", value.at)
            value = Node("cond", value.at, children=(test, value, other))
        self._depth -= 1
        return value

    def _or(self) -> Node:
        left = self._and()
        while self.accept("or"):
            left = Node("binary", left.at, "or", children=(left, self._and()))
        return left

    def _and(self) -> Node:
        left = self._not()
        while self.accept("and"):
            left = Node("binary", left.at, "and", children=(left, self._not()))
        return left

    def _not(self) -> Node:
        marks: list[int] = []
        while self.token.kind == "name" and self.token.text == "not":
            marks.append(self.take().at)
        value = self._compare()
        for at in reversed(marks):
            value = Node("unary", at, "not", children=(value,))
        return value

    def _compare(self) -> Node:
        left = self._level(0)
        while True:
            token = self.token
            if token.kind == "operator" and token.text in _COMPARISONS:
                operator = self.take().text
            elif self.accept("in"):
                operator = "in"
            elif token.text == "not" and token.kind == "name" and self._following("in"):
                self._next += 2
                operator = "not in"
            else:
                return left
            left = Node("compare", left.at, operator, children=(left, self._level(0)))

    def _following(self, text: str) -> bool:
        return self._next + 1 < len(self._tokens) and self._tokens[self._next + 1].text == text

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._power()
        left = self._level(level + 1)
        while self.token.kind == "operator" and self.token.text in _LEVELS[level]:
            operator = self.take().text
            left = Node("binary", left.at, operator, children=(left, self._level(level + 1)))
        return left

    def _power(self) -> Node:
        left = self._unary()
        while self.accept("**"):
            left = Node("binary", left.at, "**", children=(left, self._unary()))
        return left

    def _unary(self, *, filters: bool = True) -> Node:
        token = self.token
        if token.kind == "operator" and token.text in {"-", "+"}:
            self.take()
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise JinjaSyntaxError("an expression nests too deep")
            node = Node("unary", token.at, token.text, children=(self._unary(filters=False),))
            self._depth -= 1
        else:
            node = self._primary()
        node = self._postfix(node)
        return self.filters(node) if filters else node

    def _primary(self) -> Node:
        token = self.take()
        if token.kind == "name":
            if token.text in _CONSTANTS:
                return Node("const", token.at, value=_CONSTANTS[token.text])
            return Node("name", token.at, token.text)
        if token.kind == "string":
            text = token.text
            while self.token.kind == "string":
                text += self.take().text
            return Node("const", token.at, value=text)
        if token.kind in {"integer", "float"}:
            return Node("const", token.at, value=_number(token))
        if token.text == "(" and token.kind == "operator":
            inner = Node("list", token.at, "tuple") if self.token.text == ")" else self.sequence()
            self.expect(")")
            return inner
        if token.text == "[" and token.kind == "operator":
            return Node("list", token.at, children=tuple(self._until("]")))
        if token.text == "{" and token.kind == "operator":
            return self._dict(token.at)
        raise JinjaSyntaxError(f"{token.text[:20]!r} is no expression")

    def _until(self, closing: str) -> Iterator[Node]:
        while not self.accept(closing):
            yield self.expression()
            if not self.accept(","):
                self.expect(closing)
                return

    def _dict(self, at: int) -> Node:
        children: list[Node] = []
        while not self.accept("}"):
            children.append(self.expression())
            self.expect(":")
            children.append(self.expression())
            if not self.accept(","):
                self.expect("}")
                break
        return Node("dict", at, children=tuple(children))

    def _postfix(self, node: Node) -> Node:
        while True:
            token = self.token
            if token.kind != "operator":
                return node
            if self.accept("."):
                name = self.take()
                if name.kind not in {"name", "integer"}:
                    raise JinjaSyntaxError("a name is missing behind a dot")
                node = Node("attr", name.at, name.text, children=(node,))
            elif self.accept("["):
                node = Node("item", token.at, children=(node, self._subscript()))
            elif self.accept("("):
                node = Node("call", token.at, children=(node, *self._arguments()))
            else:
                return node

    def _subscript(self) -> Node:
        at, parts, bounds = self.token.at, list[Node](), list[Node]()
        while not self.accept("]"):
            if self.accept(":"):
                bounds = bounds or [parts.pop() if parts else Node("const", at)]
                bounds.append(Node("const", at))
            elif self.accept(","):
                continue
            elif bounds:
                bounds[-1] = self.expression()
            else:
                parts.append(self.expression())
        if bounds:
            return Node("slice", at, children=tuple(bounds))
        if not parts:
            raise JinjaSyntaxError("a subscript is empty")
        return parts[0] if len(parts) == 1 else Node("list", at, "tuple", children=tuple(parts))

    def _arguments(self) -> Iterator[Node]:
        while not self.accept(")"):
            token = self.token
            if token.text in {"*", "**"} and token.kind == "operator":
                self.take()
                yield Node("unary", token.at, token.text, children=(self.expression(),))
            elif token.kind == "name" and self._following("="):
                self._next += 2
                yield Node("keyword", token.at, token.text, children=(self.expression(),))
            else:
                yield self.expression()
            if not self.accept(","):
                self.expect(")")
                return

    def filters(self, node: Node) -> Node:
        """The filters and tests behind `node`, and what is called of their results."""
        while True:
            token = self.token
            if self.accept("|"):
                node = Node("filter", token.at, self._dotted(), children=(node, *self.arguments()))
            elif self.accept("is"):
                node = self._test(node, token.at)
            elif token.kind == "operator" and token.text == "(" and node.kind in {"filter", "test"}:
                self.take()
                node = Node("call", token.at, children=(node, *self._arguments()))
            else:
                return node

    def _dotted(self) -> str:
        token = self.take()
        if token.kind != "name":
            raise JinjaSyntaxError("the name of a filter is missing")
        name = token.text
        while self.accept("."):
            name += "." + self.take().text
        return name

    def arguments(self) -> tuple[Node, ...]:
        """The arguments in brackets, where there are any; values given by name are `keyword`."""
        return tuple(self._arguments()) if self.accept("(") else ()

    def _test(self, node: Node, at: int) -> Node:
        negated = self.accept("not")
        name = self._dotted()
        arguments = self.arguments()
        token = self.token
        plain = token.kind in {"string", "integer", "float"} or (
            token.kind == "name" and token.text not in _NO_ARGUMENT
        )
        if not arguments and (plain or (token.kind == "operator" and token.text in _STARTS)):
            arguments = (self._postfix(self._primary()),)
        test = Node("test", at, name, children=(node, *arguments))
        return Node("unary", at, "not", children=(test,)) if negated else test


def _number(token: Token) -> int | float:
    text = token.text.replace("_", "")
    if token.kind == "float":
        return float(text)
    try:
        return int(text, 0) if text[:1] == "0" and text.strip("0") else int(text)
    except ValueError as error:  # beyond the digits Python converts
        raise JinjaSyntaxError("a number is too long") from error
