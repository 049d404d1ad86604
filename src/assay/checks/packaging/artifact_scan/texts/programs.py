"""Whether a text is a program, told by its name, its first line or what it says."""

from __future__ import annotations

import ast
import re

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.texts import shell
from assay.core.errors import AssayError

PYTHON = (".py", ".pyi", ".pyw")
# Names that say that it is a text to read; code quoted in one is not run.
_PROSE = (
    ".txt", ".md", ".rst", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".csv", ".tsv",
    ".html", ".css", ".jinja", ".jinja2", ".j2", ".xml", ".svg", ".log", ".vocab", ".tex", ".bib", ".lock",
)  # fmt: skip
_PROSE_NAMES = frozenset({
    ".gitignore", ".gitattributes", ".dockerignore", "license", "readme", "notice", "authors",
    "extern_modules",  # of torch.package
})  # fmt: skip
# Files that say something by being there.
_EMPTY = (".py", ".pyi", ".gitkeep", ".keep", ".typed", ".nojekyll", ".lock", "/requested")
_NEVER_EMPTY = (".json", ".jsonl", ".xml", ".jinja", ".jinja2", ".j2")
_STATEMENT = re.compile(
    r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+[(:]|@\w|\w+ ?= ?__import__|exec\()", re.MULTILINE
)
_CODE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Call)


def decode_declared(blob: Blob, most: int) -> str | None:
    """The characters of a Python source in the plain encoding that it declares (PEP 263), or None."""
    if not blob.name.lower().endswith(PYTHON):
        return None
    from assay.subjects.python_source import cookie, is_plain  # noqa: PLC0415  start-up

    data = blob.head(most)
    declared = cookie(data)
    if b"\0" in data or declared in {"", "utf-8"} or not is_plain(declared):
        return None
    try:
        return data.decode(declared)
    except UnicodeDecodeError:
        return None


def kind(name: str, text: str) -> str:
    """`python` or `script` where the name or the first line says so; "" where neither does."""
    first = text.split("\n", 1)[0][:300]
    if name.lower().endswith(PYTHON):
        return "python"
    called = shell.interpreter(first)
    if called.startswith(("python", "pypy")) or called in {"uv", "ipython"}:
        return "python"
    if shell.language(name, first):
        return "script"
    return "program" if called else ""


def is_prose(name: str) -> bool:
    """Whether a file's name says that it is a text, to be read or run as such."""
    base = name.rsplit("/", 1)[-1].lower()
    return base.endswith(_PROSE) or base in _PROSE_NAMES or is_program(name)


def is_program(name: str) -> bool:
    """Whether a file's name alone says that it is a program."""
    return kind(name, "") != ""


def looks_like_python(name: str, text: str) -> bool:
    """Whether a text whose name promises no prose is Python: it parses, and imports, defines or calls."""
    from assay.subjects.python_source import parsing  # noqa: PLC0415  start-up

    base = name.rsplit("/", 1)[-1].lower()
    if base.endswith(_PROSE) or len(text) > parsing.MAX_SOURCE or not _STATEMENT.search(text):
        return False
    try:
        tree = parsing.parse(text)
    except AssayError:
        return False
    return any(isinstance(node, _CODE) for node in ast.walk(tree))


def may_be_empty(name: str) -> bool:
    """Whether a file of this name holds nothing by design."""
    lowered = name.lower()
    return lowered.endswith(_EMPTY) or (is_prose(name) and not lowered.endswith(_NEVER_EMPTY))
