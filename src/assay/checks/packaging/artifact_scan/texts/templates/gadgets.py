"""Ways from a template into Python: attributes of its own machinery, however their names are written.

Sources: the attributes that `jinja2.sandbox` refuses, and the gadgets of CVE-2024-34359 (llama-cpp-python),
CVE-2026-5760 (SGLang) and of the field's lists of server-side template injections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.checks.packaging.artifact_scan.texts.templates.folding import Folder
from assay.core.finding import Severity
from assay.subjects.jinja import Node, walk

_DUNDER = re.compile(r"__[A-Za-z]\w*__")
INTERNALS = frozenset({
    "__class__", "__base__", "__bases__", "__mro__", "__subclasses__", "__globals__", "__builtins__",
    "__import__", "__init__", "__new__", "__dict__", "__getattribute__", "__getattr__", "__getitem__",
    "__code__", "__closure__", "__func__", "__self__", "__module__", "__loader__", "__spec__", "__call__",
    "__reduce__", "__reduce_ex__", "__setattr__", "__init_subclass__", "__wrapped__", "__enter__", "__exit__",
    "__del__", "__traceback__", "__context__", "__cause__", "__doc__", "__name__", "__qualname__", "__file__",
    "mro", "func_globals", "func_code", "func_closure", "im_func", "im_self", "im_class", "gi_frame",
    "gi_code", "cr_frame", "cr_code", "ag_frame", "ag_code", "f_globals", "f_locals", "f_builtins",
    "f_back", "f_code",
    "tb_frame", "tb_next", "co_consts", "_TemplateReference__context", "_module", "_load_form_data",
})  # fmt: skip
_RUN = frozenset({
    "popen", "Popen", "check_output", "check_call", "system", "spawnl", "execv", "execve", "eval", "exec",
    "import_module", "load_module", "getoutput", "import_string",
})  # fmt: skip
_BUILTINS = frozenset({"eval", "exec", "compile", "open", "getattr", "globals", "vars", "locals", "setattr"})
_MACHINERY = frozenset({"lipsum", "cycler", "joiner", "self", "url_for", "get_flashed_messages"})
_FLASK = frozenset({"application", "environ", "args", "form", "cookies", "headers", "values", "files"})
_BY_ATTRIBUTE = frozenset({"map", "groupby", "sort", "sum", "min", "max", "unique"})
_SELECT = frozenset({"selectattr", "rejectattr"})
_LAZY = frozenset({"select", "reject", "map", "batch", "slice", "unique"}) | _SELECT
_FIELD = re.compile(r"\{[^{}]{0,200}[.\[]\s{0,9}_[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Gadget:
    """One way in: how bad, what it does, and where it stands."""

    severity: Severity
    does: str
    at: int


def gadgets(node: Node, folder: Folder) -> Iterator[Gadget]:
    """The ways in that an expression holds."""
    for one in walk(node):
        if one.kind == "attr":
            yield from _attribute(one)
        elif one.kind == "item":
            yield from _item(one, folder)
        elif one.kind == "filter":
            yield from _filter(one, folder)
        elif one.kind == "call":
            yield from _call(one, folder)
        elif one.kind == "name" and one.name == "__import__":
            yield Gadget(Severity.CRITICAL, "calls `__import__`", one.at)
        elif one.kind == "const" and one.value in INTERNALS and str(one.value).startswith("__"):
            yield Gadget(Severity.HIGH, f"carries the name {one.value!r}", one.at)


def _attribute(node: Node) -> Iterator[Gadget]:
    name, holder = node.name, node.children[0]
    if name in INTERNALS:
        yield Gadget(Severity.CRITICAL, f"reaches for {name!r}", node.at)
    elif _DUNDER.fullmatch(name):
        yield Gadget(Severity.HIGH, f"reaches for {name!r}", node.at)
    elif name.startswith("_"):
        yield Gadget(Severity.MEDIUM, f"reaches for the private name {name!r}", node.at)
    elif holder.kind == "name" and holder.name == "request" and name in _FLASK:
        yield Gadget(Severity.MEDIUM, f"reads `request.{name}` of the application that renders it", node.at)


def _item(node: Node, folder: Folder) -> Iterator[Gadget]:
    yield from _named(folder.strings(node.children[1]), node.at)
    if _is_representation(node.children[0]):
        yield Gadget(Severity.HIGH, "takes letters out of how Python shows an object", node.at)


def _named(names: list[str], at: int) -> Iterator[Gadget]:
    for name in names:
        if name in INTERNALS and name != "mro":
            yield Gadget(Severity.CRITICAL, f"reaches for {name!r}", at)
        elif _DUNDER.fullmatch(name) and not name.isupper():
            yield Gadget(Severity.HIGH, f"reaches for {name!r}", at)


def _is_representation(node: Node) -> bool:
    """Whether letters are taken from the text of a generator, function or class."""
    seen_string = False
    while node.kind == "filter" or (node.kind == "call" and node.children[0].kind == "filter"):
        if seen_string and node.name in _LAZY:
            return True
        seen_string = seen_string or node.name == "string"
        node = node.children[0]
    return seen_string and node.kind == "name" and node.name in _MACHINERY | {"namespace", "dict", "range"}


def _filter(node: Node, folder: Folder) -> Iterator[Gadget]:
    arguments = node.children[1:]
    if node.name == "attr" and arguments:
        yield from _attr_filter(arguments[0], node.at, folder)
    elif node.name in _BY_ATTRIBUTE or node.name in _SELECT:
        yield from _by_attribute(node, folder)


def _attr_filter(argument: Node, at: int, folder: Folder) -> Iterator[Gadget]:
    names = folder.strings(argument)
    yield from _named(names, at)
    if not names or argument.kind != "const":
        yield Gadget(Severity.HIGH, "computes the name of an attribute and fetches it with `|attr`", at)


def _by_attribute(node: Node, folder: Folder) -> Iterator[Gadget]:
    """Filters that fetch an attribute of every item, or apply any other filter by its name."""
    plain = [one for one in node.children[1:] if one.kind != "keyword"]
    named = [
        one.children[0] for one in node.children[1:] if one.kind == "keyword" and one.name == "attribute"
    ]
    applied = folder.strings(plain[0]) if plain and node.name == "map" else []
    paths = [*named, *(plain[:1] if node.name != "map" else [])]
    if "attr" in applied:
        for argument in plain[1:2]:
            yield from _attr_filter(argument, node.at, folder)
    elif node.name == "map" and plain and not applied:
        yield Gadget(Severity.HIGH, "computes the name of the filter that `|map` applies", node.at)
    for path in paths:
        for text in folder.strings(path):
            yield from _named(text.split("."), node.at)


def _call(node: Node, folder: Folder) -> Iterator[Gadget]:
    function = node.children[0]
    if function.kind == "name" and function.name in _BUILTINS:
        yield Gadget(Severity.MEDIUM, f"calls `{function.name}`, where the application offers it", node.at)
    if function.kind == "attr" and function.name in _RUN:
        yield Gadget(Severity.CRITICAL, f"calls `{function.name}`", node.at)
    if function.kind == "attr" and function.name in {"format", "format_map"}:
        for text in folder.strings(function.children[0]):
            if _FIELD.search(text[:4096]):
                yield Gadget(Severity.CRITICAL, f"formats {text[:60]!r}, which fetches attributes", node.at)
