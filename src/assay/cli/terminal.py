"""What a terminal takes: its width, colours, and a line that is written anew."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

# Terminals that show escapes as they are written; an unset TERM says nothing.
_PLAIN = {"dumb", "unknown", ""}


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; it may be closed."""
    return stream is not None and stream.isatty()


def takes_escapes(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal that moves its cursor where told to."""
    return is_terminal(stream) and os.environ.get("TERM", "ansi") not in _PLAIN


def takes_color(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal that shows colours, and its user wants them (no-color.org)."""
    return takes_escapes(stream) and not os.environ.get("NO_COLOR")


def width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none."""
    if not is_terminal(sys.stdout):
        return None
    import shutil  # noqa: PLC0415  start-up

    return shutil.get_terminal_size().columns


def styled(text: str, *, err: bool = False, **style: Any) -> str:
    """`text` in a style of `click.style`, where stdout (or stderr) takes colours."""
    return click.style(text, **style) if takes_color(sys.stderr if err else sys.stdout) else text
