"""What is put in the place of personal data and secrets.

Three ways, all deterministic: `label` says what was there; `token` adds a keyed digest, so that equal values
stay equal; `format` puts other digits and letters in the same places, drawn from HMAC-SHA-256 of the value
under the user's key, so that software that expects the form goes on working. Nobody without the key learns
the value from either; what stands in its place fails its check digit, so that it is nobody's number.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assay.core.errors import ConfigError
from assay.guard.pii.accounts import is_card, is_iban

_TOKEN = 10  # hexadecimal digits


class Redaction(StrEnum):
    """How a value is replaced."""

    LABEL = "label"
    TOKEN = "token"  # noqa: S105  no password
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces values.

    Attributes:
        way: see `Redaction`.
        key: at least 16 bytes for the keyed ways; who holds it can try values.
    """

    way: Redaction = Redaction.LABEL
    key: bytes = b""

    def __post_init__(self) -> None:
        if self.way is not Redaction.LABEL and len(self.key) < 16:  # noqa: PLR2004
            raise ConfigError(
                f"redaction by {self.way.value} needs a key of at least 16 bytes",
                remedy="Set the variable that guard.redaction_key_env names.",
            )

    def replace(self, kind: str, value: str) -> str:
        """What stands in the place of a value: `[EMAIL]`, `[EMAIL 3f9a12c04e]`, or something in its form."""
        label = kind.rsplit("/", 1)[-1].upper().replace("-", "_")
        if self.way is Redaction.LABEL:
            return f"[{label}]"
        digest = self._digest(kind, value)
        if self.way is Redaction.TOKEN:
            return f"[{label} {digest.hex()[:_TOKEN]}]"
        return _in_form(kind.rsplit("/", 1)[-1], value, digest)

    def _digest(self, kind: str, value: str) -> bytes:
        """Equal values, however they are spaced or capitalised, have equal digests."""
        plain = "".join(value.split()).replace("-", "").casefold()
        return hmac.new(self.key, f"{kind}\0{plain}".encode("utf-8", "replace"), hashlib.sha256).digest()


def _in_form(kind: str, value: str, digest: bytes) -> str:
    if kind == "email":
        name, _, _ = value.rpartition("@")
        return f"{_drawn(name, digest)}@mail.invalid"
    if kind in {"url", "domain"}:
        return "https://site.invalid/" if "://" in value else "site.invalid"
    shown = _drawn(value, digest)
    while is_card(shown) or is_iban(shown) or shown == value:
        last = max(at for at, character in enumerate(shown) if character.isdigit())
        shown = shown[:last] + str((int(shown[last]) + 1) % 10) + shown[last + 1 :]
    return shown


def _drawn(value: str, digest: bytes) -> str:
    """Digits for digits, letters for letters; all else stays."""
    stream = _bytes(digest)
    drawn = []
    for character in value:
        if character.isdigit():
            drawn.append(str(next(stream) % 10))
        elif character.isalpha():
            letters = string.ascii_uppercase if character.isupper() else string.ascii_lowercase
            drawn.append(letters[next(stream) % 26])
        else:
            drawn.append(character)
    return "".join(drawn)


def _bytes(digest: bytes) -> Iterator[int]:
    while True:
        yield from digest
        digest = hashlib.sha256(digest).digest()
