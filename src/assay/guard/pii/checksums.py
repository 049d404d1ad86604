"""Check digits of numbers that identify people, accounts and cards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_NO_DIGITS = re.compile("[^0-9]+")
_DOUBLED = str.maketrans("0123456789", "0246813579")  # twice the digit, its own digits summed
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_VERHOEFF = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901",
    "2793806415", "7046913258",
)  # fmt: skip
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip


def digits_of(text: str) -> str:
    """The ASCII digits in a text."""
    return _NO_DIGITS.sub("", text)


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B, over digits."""
    doubled = number[-2::-2].translate(_DOUBLED)
    return (sum(map(int, number[::-2])) + sum(map(int, doubled))) % 10 == 0


def mod97(account: str) -> bool:
    """ISO 7064 MOD 97-10, as an IBAN has it: country and check digits first."""
    moved = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def verhoeff(number: str) -> bool:
    """Verhoeff's dihedral check (1969), over digits."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_DIHEDRAL[check][int(_VERHOEFF[place % 8][int(digit)])])
    return check == 0


def weighted(number: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def mod11_10(number: str) -> bool:
    """ISO 7064 MOD 11,10, over digits."""
    product = 10
    for digit in number[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(number[-1])


def base58check(address: str) -> bool:
    """Whether the last four bytes are the double SHA-256 of the others (Bitcoin and its kin)."""
    value = 0
    for character in address:
        at = _BASE58.find(character)
        if at < 0:
            return False
        value = value * 58 + at
    data = value.to_bytes(25, "big") if value < 1 << 200 else b""
    return bool(data) and hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def bech32(address: str) -> bool:
    """BIP 173 and BIP 350."""
    prefix, _, data = address.lower().rpartition("1")
    if not prefix or any(character not in _BECH32 for character in data):
        return False
    values = (
        [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]
    )
    check = 1
    for value in values + [_BECH32.index(character) for character in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check in {1, 0x2BC830A3}


def mrz(field: str, check: str) -> bool:
    """ICAO Doc 9303 part 3: the check digit of a field of a machine-readable zone."""
    total = sum(
        (0 if character == "<" else int(character, 36)) * (7, 3, 1)[at % 3]
        for at, character in enumerate(field)
    )
    return str(total % 10) == ("0" if check == "<" else check)
