"""Second looks at a match: what a pattern alone cannot know."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACEHOLDER = re.compile(
    r"example|sample|dummy|placeholder|your[-_ ]?|changeme|redacted|xxxx|0000|1234567|abcdef|<"
    r"|\*\*\*|test[-_]?key",
    re.IGNORECASE,
)
_COMMON = frozenset({
    "password", "passwd", "secret", "changeme", "pass123", "password1", "password123", "mypassword",
    "example", "postgres", "admin1", "username", "hunter2", "letmein", "foobar",
})  # fmt: skip


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits each."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def is_random(text: str) -> bool:
    """Whether a token looks drawn at random: no placeholder words, entropy near that of its length."""
    body = text.rsplit("=", 1)[-1] if "=" in text and not text.endswith("=") else text
    ceiling = math.log2(min(len(body), 62)) if body else 0.0
    return not _PLACEHOLDER.search(body) and entropy(body) >= 0.72 * ceiling


def is_github(text: str) -> bool:
    """Whether the last six characters are the CRC-32 of the token's body, as GitHub writes it since 2021."""
    body, check = text[4:34], text[34:]
    value = zlib.crc32(body.encode())
    digits = ""
    while value:
        value, rest = divmod(value, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0") == check


def is_jwt(text: str) -> bool:
    """Whether the first part decodes to a header that names a real algorithm."""
    head = text.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(header, dict) and str(header.get("alg", "none")).lower() != "none"


def is_password(text: str) -> bool:
    """Whether a password is not one of documentation's stock words."""
    return text.lower() not in _COMMON and not _PLACEHOLDER.search(text) and entropy(text) >= 2.5  # noqa: PLR2004


VALIDATORS: Mapping[str, Callable[[str], bool]] = {
    "random": is_random,
    "github": is_github,
    "jwt": is_jwt,
    "password": is_password,
}
