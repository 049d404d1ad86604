"""E-mail, phone, IP addresses, URLs and domains."""

from __future__ import annotations

import ipaddress
import re

from assay.core.finding import Severity
from assay.guard.pii.checksums import digits_of
from assay.guard.pii.recogniser import Recogniser, pattern
from assay.guard.pii.words import WORDS

_ENDINGS: str = WORDS["endings"]
_RESERVED = re.compile(r"(?:^|[@./])(?:invalid|test|localhost|example)(?:[/:?#]|$)", re.IGNORECASE)
_PHONE_WORDS: str = WORDS["phone"]
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension|#) ?\d{1,6})?"
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)?\d\d"
    r"|(?:19|20)\d\d ?[-/ ] ?(?:19|20)\d\d"
)
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_FEWEST, _MOST = 7, 15  # digits of a phone number, after ITU-T E.164


def _is_phone(text: str) -> bool:
    digits = digits_of(re.sub(r"(?:x|ext|#).*", "", text, flags=re.IGNORECASE))
    if not _FEWEST <= len(digits) <= _MOST or len(set(digits)) <= 1:
        return False
    return not _DATE.fullmatch(text.strip()) and not _SSN.fullmatch(text.strip())


def _is_v4(text: str) -> bool:
    parts = text.split(".")
    return all(int(part) < 256 and str(int(part)) == part for part in parts) and text != "0.0.0.0"  # noqa: PLR2004, S104


def _is_v6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text.partition("%")[0]).packed != bytes(16)
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    return not _RESERVED.search(text) and ".." not in text


CONTACT = (
    Recogniser(
        "email",
        pattern(
            r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w!#$%&'*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]{0,63}@"
            r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}(?<![_-])"
        ),
        Severity.LOW,
        _is_address,
        score=0.98,
        sign="@",
        among="mails",
    ),
    Recogniser(
        "url",
        pattern(
            r"\b(?:https?|ftp)://[^\s<>\"'`{}|\\^\[\]]{2,2000}[^\s<>\"'`{}|\\^\[\].,;:!?)]|\bwww\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"'`)]*)?",
            re.IGNORECASE,
        ),
        Severity.INFO,
        _is_address,
        score=0.98,
        sign=".",
        among="links",
    ),
    Recogniser(
        "domain",
        pattern(
            rf"(?<![\w@./:-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+(?:{_ENDINGS})(?![\w@-])(?!\.\w)",
            re.IGNORECASE,
        ),
        Severity.INFO,
        lambda text: _is_address(text) and not text[0].isdigit() and len(text) > 5,  # noqa: PLR2004
        score=0.7,
        sign=".",
        among="domains",
    ),
    Recogniser(
        "ip",
        pattern(r"\d(?<![\w.-]\d)(?<!version \d)(?<!release \d)\d{0,2}(?:\.\d{1,3}){3}(?![\w-])(?!\.\d)"),
        Severity.LOW,
        _is_v4,
        r"ip|address|host|server|network|ping|subnet|gateway|dns|router",
        score=0.85,
        sign="digits",
        among="links",
    ),
    Recogniser(
        "ip",
        pattern(
            r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:|::)(?:[0-9A-Fa-f]{0,4}:){0,6}(?:[0-9A-Fa-f]{1,4}|:|\d{1,3}(?:\.\d{1,3}){3})(?:%\w{1,15})?(?![\w:])"
        ),
        Severity.LOW,
        lambda text: text.count(":") >= 2 and len(text) > 4 and _is_v6(text),  # noqa: PLR2004
        score=0.9,
        sign=":",
        among="links",
    ),
    Recogniser(
        "phone",
        pattern(
            r"(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]{0,2}\(0?\d{0,4}\))?(?:[ ./-]{0,2}\d{1,5}){2,6}"
            + _EXTENSION
            + r"(?![\w])"
        ),
        Severity.LOW,
        _is_phone,
        _PHONE_WORDS,
        score=0.9,
        sign="digits",
        among="phones",
    ),
    Recogniser(
        "phone",
        pattern(
            r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}"
            + _EXTENSION
            + r"(?![\w-])(?!\.\d)"
        ),
        Severity.LOW,
        _is_phone,
        _PHONE_WORDS,
        score=0.85,
        sign="digits",
        among="phones",
    ),
    Recogniser(
        "phone",
        pattern(r"(?<![\w.+,/-])\(?0\d{1,4}\)?(?:[ ./-]{1,3}\d{2,8}){1,5}(?![\w/])(?!-\d)(?![.,:]\d)"),
        Severity.LOW,
        lambda text: _is_phone(text) and len(digits_of(text)) >= 9,  # noqa: PLR2004
        _PHONE_WORDS,
        score=0.75,
        sign="digits",
        among="phones at home",
    ),
    Recogniser(
        "phone",
        pattern(
            r"(?<![\w.+,:/$€£-])(?:\(\d{2,4}\) ?|\d{1,4}[ .-])?\d{2,5}(?:[ .-]\d{2,5}){1,4}"
            + _EXTENSION
            + r"(?![\w/%])(?!-\d)(?![.,:]\d)"
            r"|(?<![\w.+,:/$€£-])\d{7,11}" + _EXTENSION + r"(?![\w/%])(?!-\d)(?![.,:]\d)"
        ),
        Severity.LOW,
        lambda text: _is_phone(text) and len(digits_of(text)) <= 12,  # noqa: PLR2004
        _PHONE_WORDS,
        needed=True,
        score=0.6,
        sign="digits",
        among="phones by name",
    ),
)
