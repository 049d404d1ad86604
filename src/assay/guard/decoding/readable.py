"""Whether bytes are a text that somebody wrote, rather than chance."""

from __future__ import annotations

import re
import unicodedata

AT_LEAST = 4  # characters; anything shorter turns up by chance
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_ALNUM = re.compile(r"[A-Za-z0-9]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})  # control, unassigned, private, half a pair
_SAMPLE = 2_000  # characters that are enough to tell
_SIGNALS = frozenset(".-/| \n")  # Morse
_ODD_SHARE, _WORD_SHARE, _ASCII_IN_UTF16 = 0.1, 0.25, 0.8


def as_text(data: bytes) -> str:
    """The text that the bytes are, in UTF-8, or in UTF-16 where mostly ASCII; "" where they are none."""
    encoding = "utf-8"
    half = len(data) // 2
    if half >= AT_LEAST and len(data) % 2 == 0 and data[1::2].count(0) > _ASCII_IN_UTF16 * half:
        encoding = "utf-16-le"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return text if is_readable(text) else ""


def is_readable(text: str) -> bool:
    """Whether it is mostly letters, digits, or whatever else foreign bytes spell, with few odd characters."""
    if len(text) < AT_LEAST:
        return False
    sample = text[:_SAMPLE]
    odd, words = len(_CONTROL.findall(sample)), len(_ALNUM.findall(sample))
    for match in _FOREIGN.finditer(sample):
        character = match.group()
        if character == "\ufffd" or unicodedata.category(character) in _NO_TEXT:
            odd += 1
        else:
            words += 1
    worded = words >= _WORD_SHARE * len(sample) or _SIGNALS.issuperset(sample)
    return odd <= _ODD_SHARE * len(sample) and worded
