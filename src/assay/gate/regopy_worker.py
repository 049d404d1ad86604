"""Evaluates one Rego query and exits: the child process of `RegopyEngine`. Run as a script, never imported.

It reads one JSON object from standard input (`library`, `modules`, `data`, `input`, `query`, `seconds`)
and writes one to standard output: `{"result": text}` or `{"error": text}`. It imports nothing of Assay and
nothing from site-packages but regopy, so that it starts in a tenth of a second. Its environment is empty
(Rego's `opa.runtime()` shows it) and its resources are bounded before any policy is read.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from typing import Any

MEMORY = 2 << 30
RESULT_LIMIT = 8 << 20


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):  # a kernel without this limit; the others and the deadline remain
        return


def _bound_memory() -> None:
    # regopy's allocator reserves 256 GB of addresses when it is loaded: the limit counts from there.
    try:
        with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123  pathlib would double the start-up time
            pages = int(stream.read().split()[0])
    except OSError:  # not Linux: the deadline remains
        return
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY)


def _evaluate(request: dict[str, Any]) -> dict[str, str]:
    sys.path.insert(0, request["library"])
    import regopy  # noqa: PLC0415  found only now
    from regopy import rego_shared  # noqa: PLC0415

    _bound_memory()
    interpreter = regopy.Interpreter()
    interpreter.strict_built_in_errors = True
    modules = dict(request["modules"])
    try:
        for name, source in request["modules"]:
            interpreter.add_module(name, source)
        interpreter.add_data_json(request["data"])
        interpreter.set_input_term(request["input"])
        # regopy's own query() raises on some errors and returns others as a result.
        output = rego_shared.rego_query(interpreter._impl, request["query"])  # noqa: SLF001
        if not rego_shared.rego_output_ok(output):
            return {"error": _plain(_errors(rego_shared, output), modules)}
        text = rego_shared.rego_output_string(output)
    except (regopy.RegoError, UnicodeError) as error:
        return {"error": _plain(str(error), modules)}
    if text.lstrip().startswith("("):
        return {"error": _plain(text, modules)}
    return {"result": text} if len(text) <= RESULT_LIMIT else {"error": "the result is larger than 8 MB"}


def _errors(rego: Any, output: Any) -> str:
    root = rego.rego_output_node(output)
    children = [rego.rego_node_get(root, i) for i in range(min(rego.rego_node_size(root), 20))]
    return " ".join(rego.rego_node_json(child) for child in children)


def _plain(text: str, modules: dict[str, str]) -> str:
    """The error tree of regopy as `file:line: message`."""
    messages = [m.strip() for m in re.findall(r"\(errormsg \d+:([^\n]*)\)", text)]
    found = "; ".join(dict.fromkeys(messages)) or " ".join(text.split())
    place = re.search(r"\(error(?:ast)? \d*:?([^|()\n]*)\|(\d+)\|", text)
    if place is None or place.group(1) not in modules:
        return found[:500]
    line = modules[place.group(1)].encode()[: int(place.group(2))].count(b"\n") + 1
    return f"{place.group(1)}:{line}: {found}"[:500]


def _main() -> None:
    answer = os.dup(1)
    os.dup2(2, 1)  # the native library prints its errors; they must not mix with the answer
    request = json.loads(sys.stdin.buffer.read())
    _limit(resource.RLIMIT_CPU, int(request["seconds"]) + 1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    reply = json.dumps(_evaluate(request)).encode()
    with os.fdopen(answer, "wb") as stream:
        stream.write(reply)
    os._exit(0)  # skips the native destructors: nothing of theirs may change what was answered


if __name__ == "__main__":
    _main()
