"""Cards, bank accounts and wallets."""

from __future__ import annotations

import re

from assay.core.finding import Severity
from assay.guard.pii.checksums import base58check, bech32, digits_of, luhn, mod97
from assay.guard.pii.recogniser import Recogniser, pattern
from assay.guard.pii.words import WORDS

# Issuer ranges (first digits, from and to) and lengths of their numbers, after ISO/IEC 7812 registrations.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)), ("2221", "2720", (16,)),
    ("34", "34", (15,)), ("37", "37", (15,)),
    ("300", "305", (14, 16, 19)), ("309", "309", (14, 16)), ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("6011", "6011", (16, 19)), ("644", "649", (16, 19)), ("65", "65", (16, 19)),
    ("62", "62", (16, 17, 18, 19)), ("81", "82", (16,)),
    ("3528", "3589", (16, 17, 18, 19)), ("1800", "1800", (15,)), ("2131", "2131", (15,)),
    ("2200", "2204", (16, 17, 18, 19)), ("9792", "9792", (16,)),
    ("50", "50", (12, 13, 14, 15, 16, 18, 19)), ("56", "58", (12, 13, 14, 15, 16, 18, 19)),
    ("60", "61", (12, 13, 14, 15, 16, 18, 19)), ("63", "64", (12, 13, 14, 15, 16, 18, 19)),
    ("66", "69", (12, 13, 14, 15, 16, 18, 19)),
)  # fmt: skip
# Lengths by country, after the SWIFT IBAN registry.
_IBAN_LENGTHS: dict[str, int] = WORDS["iban-lengths"]
_SAME = 1  # different digits, which no number has


def is_card(text: str) -> bool:
    """An issuer's range, its length, and the check digit."""
    number = digits_of(text)
    if len(set(number)) <= _SAME or not luhn(number):
        return False
    return any(
        first <= number[: len(first)] <= last and len(number) in lengths for first, last, lengths in _ISSUERS
    )


def is_common_card(text: str) -> bool:
    """The same, for lengths that little else has."""
    return len(digits_of(text)) >= 14 and is_card(text)  # noqa: PLR2004


def is_iban(text: str) -> bool:
    """The country's length, and the check digits."""
    account = re.sub(r"[\s-]", "", text).upper()
    return len(account) == _IBAN_LENGTHS.get(account[:2]) and mod97(account)


def is_bitcoin(text: str) -> bool:
    """Base58Check or Bech32."""
    return bech32(text) if text[:3].lower() in {"bc1", "tb1"} else base58check(text)


_CARD_WORDS: str = WORDS["card"]

ACCOUNTS = (
    Recogniser(
        "iban",
        pattern(
            r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?![^\W_])"
        ),
        Severity.MEDIUM,
        is_iban,
        score=0.98,
        sign="digits",
        among="cards",
    ),
    Recogniser(
        "card",
        pattern(r"\d(?<![\d.,+/-]\d)(?<!\d \d)(?:[ -]?\d){13,18}(?![\d%])(?![.,]\d)"),
        Severity.HIGH,
        is_common_card,
        _CARD_WORDS,
        score=0.9,
        sign="digits",
        among="cards",
    ),
    Recogniser(
        "card",
        pattern(r"\d(?<![\d.,+/-]\d)(?:[ -]?\d){11,12}(?![\d%])(?![.,]\d)"),
        Severity.HIGH,
        is_card,
        _CARD_WORDS,
        needed=True,
        score=0.8,
        sign="digits",
        among="cards",
    ),
    Recogniser(
        "wallet",
        pattern(
            r"(?<![A-Za-z0-9])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|tb1)[02-9ac-hj-np-z]{11,71})(?![A-Za-z0-9])"
        ),
        Severity.LOW,
        is_bitcoin,
        score=0.98,
        among="wallets",
    ),
    Recogniser(
        "wallet",
        pattern(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])"),
        Severity.LOW,
        context=r"eth|ether(?:eum)?|wallet|address|erc-?20|usdt|token|contract|pay|send",
        needed=True,
        score=0.8,
        sign="digits",
        among="wallets",
    ),
)
