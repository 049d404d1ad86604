"""How bad an event of Python source is: by what it does and when it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts import python_files, python_imports
from assay.checks.packaging.artifact_scan.texts.python_calls import kind, through
from assay.checks.packaging.artifact_scan.texts.python_effect import Effect
from assay.core.finding import Rule, Severity
from assay.subjects.python_source import Event, Time, Value, alternatives
from assay.subjects.python_source.value import EITHER

_HIDING = frozenset({"decoded", "network"})
# Programs that only tell about the machine or the checkout.
_HARMLESS = re.compile(
    r"(?:git (?:rev-parse|describe|log|status|diff|config --get)|nvidia-smi|rocm-smi|rocminfo"
    r"|nvcc --version|uname|lscpu|which|sysctl -n|gcc --version|ffmpeg -version|sw_vers)\b[^;&|`$<>]*\Z"
)
# Attributes whose replacement changes what other code loads or runs; `*` for any.
_PATCHED: Mapping[str, frozenset[str]] = {
    "builtins": frozenset("*"), "importlib": frozenset("*"), "pickle": frozenset("*"),
    "_pickle": frozenset("*"),
    "os": frozenset("*"), "subprocess": frozenset("*"), "marshal": frozenset("*"),
    "torch.serialization": frozenset("*"),
    "sys": frozenset({"meta_path", "path_hooks", "modules", "excepthook", "path_importer_cache"}),
    "torch": frozenset({"load"}), "safetensors.torch": frozenset("*"), "hashlib": frozenset("*"),
}  # fmt: skip
_LOADED = frozenset({"torch", "numpy", "transformers", "safetensors", "tokenizers", "os", "sys", "pickle",
                     "builtins",
                     "importlib", "json", "subprocess", "socket", "hashlib", "ssl"})  # fmt: skip
_BY_TIME: Mapping[str, tuple[Rule, tuple[Severity | None, Severity | None, Severity]]] = {
    "process": (code.PROCESS, (Severity.LOW, Severity.MEDIUM, Severity.CRITICAL)),
    "execute": (code.EXECUTE, (Severity.LOW, Severity.MEDIUM, Severity.HIGH)),
    "import": (code.EXECUTE, (None, None, Severity.LOW)),
    "hidden": (code.OBFUSCATED, (Severity.LOW, Severity.MEDIUM, Severity.CRITICAL)),
    "computed": (code.OBFUSCATED, (Severity.LOW, Severity.LOW, Severity.HIGH)),
    "gadget": (code.OBFUSCATED, (Severity.LOW, Severity.MEDIUM, Severity.HIGH)),
    "network": (code.NETWORK, (None, Severity.LOW, Severity.HIGH)),
    "native": (code.NATIVE_LOAD, (Severity.LOW, Severity.LOW, Severity.HIGH)),
    "unpickle": (code.UNPICKLE, (Severity.LOW, Severity.LOW, Severity.HIGH)),
    "patch": (code.PATCH, (Severity.LOW, Severity.LOW, Severity.HIGH)),
}  # fmt: skip


def effect(event: Event, *, program: bool = False) -> Effect | None:
    """What an event does that it should not. `program`: the source is a build script, run by its owner."""
    if event.kind == "assign":
        return python_imports.assigned(event) or _assigned(event)
    if event.keywords and (trusting := python_imports.trusting(event)):
        return trusting
    if _sends_environment(event):
        severity = Severity.CRITICAL if event.time is Time.IMPORT else Severity.MEDIUM
        return Effect(code.EXFILTRATE, severity)
    what = kind(event.name)
    special = _SPECIAL.get(what) if event.kind == "call" else None
    found = special(event, what) if special else _usual(event, what)
    if found is None or not program:
        return found
    return _of_program(event, found)


def _of_program(event: Event, found: Effect) -> Effect:
    marks = _marks(event)
    marks -= {mark for mark in marks if mark.startswith(EITHER)}
    if found.rule is code.EXECUTE and marks <= {"file"}:
        return Effect(found.rule, Severity.LOW)  # the usual way to read a version number
    # Who builds or tests a package runs its scripts knowingly; loading a model does not.
    severity = (
        Severity.HIGH if found.severity is Severity.CRITICAL and not marks & _HIDING else found.severity
    )
    severity = Severity.LOW if found.rule in {code.WRITE, code.PATCH} else severity
    return Effect(found.rule, severity)


def _usual(event: Event, what: str) -> Effect | None:
    found = _BY_TIME.get(what)
    severity = found[1][event.time] if found else None
    return Effect(found[0], severity) if found and severity else None


def _marks(event: Event) -> frozenset[str]:
    return frozenset().union(*(value.marks for value in (*event.args, *event.keywords.values())))


def _sends_environment(event: Event) -> bool:
    sent = kind(event.name) == "network" or kind(event.name.split("()")[0]) == "network"
    return event.kind == "call" and sent and "environ" in _marks(event)


def _process(event: Event, what: str) -> Effect | None:
    command = event.args[0] if event.args else event.keywords.get("args", Value())
    words = [part.constant for part in command.items] if command.items else [command.constant]
    line = " ".join(word for word in words if isinstance(word, str))
    told = len(words) == sum(isinstance(word, str) for word in words)
    if told and all(_HARMLESS.match(one) for one in (line, *alternatives(command))):
        return Effect(code.PROCESS, Severity.LOW)
    if _marks(event) & _HIDING and event.time is not Time.IMPORT:
        return Effect(code.PROCESS, Severity.MEDIUM)
    return _usual(event, what)


def _execute(event: Event, what: str) -> Effect | None:
    text = event.args[0] if event.args else Value()
    if text.marks & _HIDING:
        severities = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
        return Effect(code.OBFUSCATED, severities[event.time])
    if event.name in {"builtins.exec", "builtins.eval"} and isinstance(text.constant, str | bytes):
        return None  # read as code of its own
    if event.name.startswith(("importlib.util.", "importlib.machinery.")) and event.time is Time.IMPORT:
        return Effect(code.EXECUTE, Severity.MEDIUM)
    lesser = event.name in {"types.FunctionType", "builtins.eval"} or "entry_point" in event.name
    if lesser and event.time is Time.USE:
        return Effect(code.EXECUTE, Severity.LOW)
    return _usual(event, what)


def _import(event: Event, what: str) -> Effect | None:
    name = event.args[0] if event.args else Value()
    if isinstance(name.constant, str):
        return None
    if name.marks & _HIDING:
        return Effect(code.OBFUSCATED, (Severity.LOW, Severity.MEDIUM, Severity.HIGH)[event.time])
    return _usual(event, what)


def _unpickle(event: Event, what: str) -> Effect | None:
    if _is_safe_load(event):
        return None
    if _marks(event) & _HIDING and event.name not in {"numpy.load", "yaml.load"}:
        return Effect(code.UNPICKLE, (Severity.LOW, Severity.MEDIUM, Severity.CRITICAL)[event.time])
    return _usual(event, what)


def _is_safe_load(event: Event) -> bool:
    flags = event.keywords
    if event.name == "torch.load":
        return "weights_only" in flags and flags["weights_only"].constant != 0
    if event.name == "numpy.load":
        return "allow_pickle" not in flags or flags["allow_pickle"].constant == 0
    if event.name.startswith(("yaml.load", "ruamel.yaml.load")):
        given = (*event.args[1:], *flags.values())
        return any("Safe" in name or "FullLoader" in name for value in given for name in value.names)
    return False


def _patch(event: Event, what: str) -> Effect | None:
    if event.name != "builtins.setattr":
        return _usual(event, what)
    name = event.args[1].constant if len(event.args) > 1 else None
    targets = (
        {f"{one}.{name}" for one in event.args[0].names} if event.args and isinstance(name, str) else set()
    )
    return _usual(event, what) if any(_is_patched(one) for one in targets) else None


def _assigned(event: Event) -> Effect | None:
    severity = Severity.HIGH if event.time is Time.IMPORT else Severity.LOW
    if event.name == "sys.modules[]":
        key = event.args[1].constant if len(event.args) > 1 else None
        shadows = isinstance(key, str) and key in _LOADED
        return Effect(code.PATCH, severity) if shadows else None
    if event.name in {"builtins[]", "builtins.__dict__[]"} or _is_patched(event.name):
        return Effect(code.PATCH, severity)
    return None


def _is_patched(name: str) -> bool:
    module, _, attribute = through(name).rpartition(".")
    allowed = _PATCHED.get(module, frozenset())
    return attribute in allowed or ("*" in allowed and not attribute.endswith("[]"))


_SPECIAL: Mapping[str, Callable[[Event, str], Effect | None]] = {
    "process": _process,
    "execute": _execute,
    "import": _import,
    "unpickle": _unpickle,
    "write": python_files.written,
    "open": python_files.opened,
    "read": python_files.read,
    "folder": python_imports.folder,
    "patch": _patch,
}
