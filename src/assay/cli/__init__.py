"""The command line: one file per command; parses, calls, prints; the only place that exits."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = {number: 128 + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


class SignalledError(KeyboardInterrupt):
    """The system asked the process to end; as after Ctrl-C, what was begun is put in order first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    from assay.cli.app import run  # noqa: PLC0415  importing the package must stay free of click

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # and not ignored, as under nohup
            signal.signal(number, _end)
    code = run(sys.argv[1:])
    if code in INTERRUPTED.values():
        os._exit(code)  # without waiting for threads, which read files that nobody wants any more
    sys.exit(code)


def _end(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # asked twice, the process ends at once
    raise SignalledError(number)
