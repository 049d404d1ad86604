"""Names that lead from a template into Python, and the objects of Jinja that they are asked of.

Sources: the attributes that `jinja2.sandbox` refuses, and the gadgets of CVE-2024-34359 (llama-cpp-python),
CVE-2026-5760 (SGLang) and of the field's lists of server-side template injections.
"""

from __future__ import annotations

import re

DUNDER = re.compile(r"__[A-Za-z]\w*__")
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
RUN = frozenset({
    "popen", "Popen", "check_output", "check_call", "system", "spawnl", "execv", "execve", "eval", "exec",
    "import_module", "load_module", "getoutput", "import_string",
})  # fmt: skip
MODULES = frozenset({"os", "sys", "subprocess", "builtins", "importlib", "posix", "pty", "shutil", "socket"})
BUILTINS = frozenset({"eval", "exec", "compile", "open", "getattr", "globals", "vars", "locals", "setattr"})
# What Jinja itself puts into a template, and the functions that applications do.
MACHINERY = frozenset({
    "lipsum", "cycler", "joiner", "namespace", "range", "dict", "self", "super", "caller", "varargs",
    "kwargs", "loop", "url_for", "get_flashed_messages", "raise_exception", "strftime_now", "config",
    "request",
})  # fmt: skip
SPECIAL_TOKEN = re.compile(
    r"\w+_tokens?"
)  # `bos_token`: words that come with the model, as the template does
_DANGEROUS = INTERNALS | RUN | MODULES


def is_edged(starts: list[str], ends: list[str]) -> bool:
    """Whether a text that begins, or ends, with one of these can be no name that leads into Python."""
    begins = bool(starts) and not any(
        one.startswith("_") or any(name.startswith(one) for name in _DANGEROUS) for one in starts
    )
    closes = bool(ends) and not any(
        one.endswith("_") or any(name.endswith(one) for name in _DANGEROUS) for one in ends
    )
    return begins or closes
