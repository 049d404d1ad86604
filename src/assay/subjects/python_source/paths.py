"""Paths and texts of which parts are known: `pathlib` and `os.path`, computed on texts alone.

The home is `~`, a folder made to be thrown away `/tmp/…`.
Whatever class of `pathlib` a path is of, its name is `pathlib.Path()`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

from assay.subjects.python_source.value import GAP, SELF, UNKNOWN, Value, attribute, union

PATH = "pathlib.Path()"
MAX_TEXT = 4_096  # characters of a path
MAX_PARTS = 64  # of a path or text that is put together
MAX_TEMPLATE = 512  # characters
_MODULES = ("pathlib", "pathlib._local", "anyio")
CLASSES = frozenset(
    f"{module}.{name}"
    for module in _MODULES
    for name in ("Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
)
_NAMES = frozenset({PATH})
_SAME = frozenset({"expanduser", "resolve", "absolute", "readlink"})
_BELOW = frozenset({"iterdir", "glob", "rglob", "walk"})
_FORMAT = re.compile(r"\{[^{}]*\}")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+# 0]*\d*(?:\.\d+)?[a-zA-Z]")
_SLASHES = re.compile("/{2,}")
_TEMPORARY = "/tmp"  # noqa: S108  the text
HOME = Value(constant="~")
_HOMES = frozenset({"HOME", "USERPROFILE", "HOMEPATH"})
# Attributes of `os` and `os.path` that are texts.
SEPARATORS: Mapping[str, Value] = {
    "sep": Value(constant="/"), "curdir": Value(constant="."), "pardir": Value(constant=".."),
}  # fmt: skip
SEPARATED = frozenset({"os", "os.path", "posixpath"})


def variable(key: object) -> Value:
    """What an environment variable holds."""
    return HOME if key in _HOMES else UNKNOWN


def is_path(value: Value) -> bool:
    """Whether a value may be a path of `pathlib`."""
    return PATH in value.names


def spelled(text: str, *values: Value, names: frozenset[str] = frozenset()) -> Value:
    """A text as a value, with the marks of what it was made of; known in parts where it has gaps."""
    marks = union(values).marks if values else frozenset()
    text = text[:MAX_TEXT]
    if GAP in text:
        return Value(names, marks=marks, shape=text)
    return Value(names, text, marks=marks)


def pieced(values: Iterable[Value], separator: str = "") -> str:
    """Texts beside one another, with gaps for what is not known; "" where nothing is."""
    several = list(values)
    if len(several) > MAX_PARTS:
        return ""
    texts = [_known(value) for value in several]
    whole = separator.join(texts)[:MAX_TEXT]
    return whole if any(text not in {"", GAP} for text in texts) else ""


def _known(value: Value) -> str:
    if isinstance(value.constant, str):
        return value.constant[:MAX_TEXT]
    return str(value.constant)[:40] if isinstance(value.constant, int) else value.shape or GAP


def formatted(template: object) -> str:
    """What is known of a template once it is filled in by `%` or `format`; "" where nothing is."""
    if not isinstance(template, str) or len(template) > MAX_TEMPLATE:
        return ""
    filled = _PERCENT.sub(GAP, _FORMAT.sub(GAP, template))
    return filled if GAP in filled and filled.strip(GAP) else ""


def join(values: Iterable[Value]) -> Value:
    """Parts of a path joined, as `os.path.join` does: one that is absolute drops what is before it."""
    several = list(values)[-MAX_PARTS:]
    texts: list[str] = []
    for value in several:
        text = _known(value)
        if text.startswith(("/", "~")):
            texts = []
        if text:
            texts.append(text.rstrip("/") or "/")
    joined = _SLASHES.sub("/", "/".join(texts))
    return spelled(joined, *several) if joined.strip(GAP + "/") or joined == "/" else _gap(several)


def _gap(values: list[Value]) -> Value:
    return Value(marks=union(values).marks if values else frozenset())


def path(*parts: Value) -> Value:
    """A path of `pathlib` made of parts."""
    made = join(parts) if parts else Value(constant=".")
    return Value(_NAMES, made.constant, marks=made.marks, shape=made.shape)


def as_text(value: Value) -> Value:
    """A path as a text."""
    return Value(constant=value.constant, marks=value.marks, shape=value.shape)


def member(value: Value, name: str) -> Value | None:
    """An attribute of a path; None where a value is no path."""
    if not is_path(value):
        return None
    text = value.text
    if name == "parent":
        return _like(value, posixpath.dirname(text) or (GAP if text.startswith(GAP) else "."), text)
    if name == "parents":
        return _like(value, posixpath.dirname(text), text)
    if name in {"name", "stem", "suffix"}:
        base = posixpath.basename(text)
        stem, suffix = posixpath.splitext(base)
        return spelled({"name": base, "stem": stem, "suffix": suffix}[name], value) if text else UNKNOWN
    found = attribute(Value(_NAMES), name)
    return Value(found.names, marks=value.marks, table=((SELF, value),))


def _like(value: Value, text: str, before: str) -> Value:
    made = spelled(text, value, names=_NAMES) if before else Value(_NAMES, marks=value.marks)
    return made if made.text != GAP else Value(_NAMES, marks=value.marks)


def _method(name: str) -> Callable[[tuple[Value, ...]], Value | None]:
    """What a method of a path gives; the path is the first argument."""

    def made(args: tuple[Value, ...]) -> Value | None:
        if not args:
            return None
        value, rest = args[0], args[1:]
        text = value.text
        if name == "joinpath":
            return path(*args)
        if name in {"with_name", "with_stem"}:
            return path(spelled(posixpath.dirname(text) or GAP), *rest)
        if name == "with_suffix":
            return _like(value, posixpath.splitext(text)[0] + (rest[0].text if rest else ""), text)
        if name in _BELOW:
            return path(value, Value(shape=GAP)) if text else Value(_NAMES, marks=value.marks)
        return Value(_NAMES, value.constant, marks=value.marks, shape=value.shape)

    return made


def _text_method(args: tuple[Value, ...]) -> Value | None:
    return as_text(args[0]) if args else None


def _of_text(compute: Callable[[str], str]) -> Callable[[tuple[Value, ...]], Value | None]:
    def made(args: tuple[Value, ...]) -> Value | None:
        text = args[0].text if args else ""
        if not text:
            return None
        found = compute(text)
        return spelled(found, args[0]) if found.strip(GAP) else _gap([args[0]])

    return made


def _same(text: str) -> str:
    return text


def _dirname(text: str) -> str:
    return posixpath.dirname(text) or (GAP if text.startswith(GAP) else "")


# Functions whose result is a path or the text of one, by full name; each takes the arguments.
FUNCTIONS: Mapping[str, Callable[[tuple[Value, ...]], Value | None]] = {
    **dict.fromkeys(CLASSES, lambda args: path(*args)),
    **{f"{PATH}.{name}": _method(name) for name in
       ("joinpath", "with_name", "with_stem", "with_suffix", *_SAME, *_BELOW)},
    **{f"{PATH}.{name}": _text_method for name in ("as_posix", "__str__", "__fspath__")},
    f"{PATH}.home": lambda _: Value(_NAMES, "~"), f"{PATH}.cwd": lambda _: Value(_NAMES, "."),
    "os.fspath": _text_method,
    **{f"{module}.join": join for module in ("os.path", "posixpath", "ntpath")},
    **{f"{module}.{name}": _of_text(_same) for module in ("os.path", "posixpath", "ntpath")
       for name in ("expanduser", "abspath", "realpath", "normpath", "normcase")},
    **{f"{module}.expandvars": _of_text(lambda text: re.sub(r"\$\{?HOME\}?", "~", text))
       for module in ("os.path", "posixpath")},
    **{f"{module}.dirname": _of_text(_dirname) for module in ("os.path", "posixpath")},
    **{f"{module}.basename": _of_text(posixpath.basename) for module in ("os.path", "posixpath")},
    "os.getcwd": lambda _: Value(constant="."), "tempfile.gettempdir": lambda _: Value(constant=_TEMPORARY),
    "tempfile.mkdtemp": lambda _: Value(shape=f"{_TEMPORARY}/{GAP}"),
    "tempfile.mktemp": lambda _: Value(shape=f"{_TEMPORARY}/{GAP}"),
    "os.getenv": lambda args: variable(args[0].constant) if args and args[0].constant in _HOMES else None,
}  # fmt: skip
