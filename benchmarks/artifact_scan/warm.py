"""Calls a command once for each line of JSON on standard input, in a fork: imports are paid once.

    python warm.py MODULE:FUNCTION SECONDS

Runs in a scanner's own environment, so it imports nothing but the standard library and that command. A line
is the list of arguments; the answer is a line with the exit code (null: no end in time) and both outputs.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from typing import IO, NoReturn


def _exit_code(error: SystemExit) -> int:
    code = error.code
    return code if isinstance(code, int) else int(code is not None)


def _child(
    call: Callable[[], int | None], arguments: Sequence[str], outputs: Sequence[IO[bytes]]
) -> NoReturn:
    os.setsid()
    for number, file in zip((1, 2), outputs, strict=True):
        os.dup2(file.fileno(), number)
    sys.argv = ["scan", *arguments]
    code = 0
    try:
        code = call() or 0
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException:  # noqa: BLE001  the child must not return into the loop
        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, seconds: float) -> int | None:
    """The exit code, None where the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.003)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _answer(call: Callable[[], int | None], arguments: Sequence[str], seconds: float) -> dict[str, object]:
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            _child(call, arguments, (stdout, stderr))
        code = _wait(child, seconds)
        told = []
        for file in (stdout, stderr):
            file.seek(0)
            told.append(file.read().decode("utf-8", "replace"))
        return {"code": code, "stdout": told[0], "stderr": told[1]}


def main() -> None:
    module, _, function = sys.argv[1].partition(":")
    call = getattr(importlib.import_module(module), function)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        print(json.dumps(_answer(call, json.loads(line), float(sys.argv[2]))), file=out, flush=True)


if __name__ == "__main__":
    main()
