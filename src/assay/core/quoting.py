"""Texts of others in our sentences."""

from __future__ import annotations


def quoted(text: str, most: int = 160) -> str:
    """A text on one line, as a Python literal, cut after `most` characters."""
    short = " ".join(text.split())
    return repr(short if len(short) <= most else f"{short[:most]}…")
