"""Numbers by which states know people: tax, insurance, health and identity numbers, and passports."""

from __future__ import annotations

import re
from collections.abc import Callable

from assay.core.finding import Severity
from assay.guard.pii.checksums import digits_of, mod11_10, mrz, verhoeff, weighted
from assay.guard.pii.recogniser import Recogniser, pattern

# Values of 0-9 and A-Z at odd places (decree of 12 March 1974, annex).
_ITALIAN_VALUES = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
    2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip
_ITALIAN_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        _ITALIAN_VALUES,
        strict=True,
    )
)
_ID_WORDS = r"id|identity|passport|social security|insurance|tax|ssn|national"


def is_ssn(text: str) -> bool:
    """A US social security number that may have been given out (SSA, since 2011)."""
    digits = digits_of(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    known = digits in {"078051120", "219099999", "123456789"}  # printed in advertisements
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000" and not known


def is_nhs(text: str) -> bool:
    """A number of the British NHS: modulus 11."""
    digits = digits_of(text)
    check = 11 - weighted(digits[:9], range(10, 1, -1)) % 11
    return len(set(digits)) > 1 and check != 10 and check % 11 == int(digits[9])  # noqa: PLR2004


def is_german_tax_id(text: str) -> bool:
    """A German tax number (§ 139b AO): one digit two or three times in ten, and a check digit."""
    digits = digits_of(text)
    most = max(digits[:10].count(digit) for digit in digits[:10])
    return digits[0] != "0" and most in {2, 3} and mod11_10(digits)


def is_insee(text: str) -> bool:
    """A French INSEE number: its key is 97 less the rest."""
    digits = re.sub(r"\s", "", text).upper().replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])


def is_dni(text: str) -> bool:
    """A Spanish DNI or NIE: its letter is the rest of 23."""
    compact = re.sub(r"[\s.-]", "", text).upper()
    number = compact[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == compact[-1]


def is_codice_fiscale(text: str) -> bool:
    """An Italian codice fiscale."""
    code = text.upper()
    total = sum(
        _ITALIAN_ODD[character] if at % 2 == 0 else int(character, 36) - (10 if character.isalpha() else 0)
        for at, character in enumerate(code[:15])
    )
    return chr(65 + total % 26) == code[15]


def is_bsn(text: str) -> bool:
    """A Dutch BSN: the eleven test."""
    digits = digits_of(text).rjust(9, "0")
    return len(set(digits)) > 1 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_pesel(text: str) -> bool:
    """A Polish PESEL, a date and a check digit."""
    digits = digits_of(text)
    dated = int(digits[2:4]) % 20 in range(1, 13) and int(digits[4:6]) in range(1, 32)
    return dated and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_belgian(text: str) -> bool:
    """A Belgian national number: 97 less the rest, for births since 2000 of the number with a 2 before."""
    digits = digits_of(text)
    keys = {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}
    return int(digits[2:4]) in range(13) and int(digits[9:]) in keys


def _brazilian(digits: str, lengths: tuple[int, int], most: int) -> bool:
    for length in lengths:
        weights = [(length - at - 1) % (most - 1) + 2 for at in range(length)]
        rest = weighted(digits[:length], weights) % 11
        if int(digits[length]) != (0 if rest < 2 else 11 - rest):  # noqa: PLR2004
            return False
    return len(set(digits)) > 1


def is_cpf(text: str) -> bool:
    """A Brazilian CPF."""
    return _brazilian(digits_of(text), (9, 10), 12)


def is_cnpj(text: str) -> bool:
    """A Brazilian CNPJ."""
    return _brazilian(digits_of(text), (12, 13), 9)


def is_aadhaar(text: str) -> bool:
    """An Indian Aadhaar number: Verhoeff."""
    digits = digits_of(text)
    return digits[0] not in "01" and len(set(digits)) > 2 and verhoeff(digits)  # noqa: PLR2004


def is_passport(text: str) -> bool:
    """The second line of a passport's machine-readable zone (ICAO Doc 9303, TD3)."""
    return (
        mrz(text[:9], text[9])
        and mrz(text[13:19], text[19])
        and mrz(text[21:27], text[27])
        and mrz(text[:10] + text[13:20] + text[21:43], text[43])
    )


def _is_nino(text: str) -> bool:
    return text[:2].upper() not in _NOT_NINO


def _number(
    kind: str,
    form: str,
    check: Callable[[str], bool],
    context: str = "",
    sign: str = "digits",
    among: str = "numbers",
) -> Recogniser:
    """A number that is known by itself."""
    return Recogniser(
        kind, _alone(form), Severity.HIGH, check, context or _ID_WORDS, score=0.95, sign=sign, among=among
    )


def _named(kind: str, form: str, check: Callable[[str], bool], context: str) -> Recogniser:
    """A number that is known by a word beside it: one check digit holds by chance too often."""
    return Recogniser(
        kind,
        _alone(form),
        Severity.HIGH,
        check,
        context,
        needed=True,
        score=0.75,
        sign="digits",
        among="numbers",
    )


def _alone(number: str) -> re.Pattern[str]:
    return pattern(rf"(?<![\w.,+/-])(?:{number})(?![\w/-])(?![.,]\d)")


_NINO_PREFIX = "[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]"
_NOT_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
_MONTH = "(?:0[1-9]|1[0-2]|[2-9]\\d)"
_INSEE = rf"[12] ?\d\d ?{_MONTH} ?(?:\d\d|2[AaBb])(?: ?\d{{3}}){{2}} ?\d\d"
_DNI = r"(?:\d{8}|\d{2}\.\d{3}\.\d{3}|[XYZxyz][ -]?\d{7})[ -]?[A-Za-z]"
_PASSPORT = r"[A-Z0-9<]{9}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}[0-9<]\d"
_GERMAN_WORDS = r"steuer\w*|tin|tax(?: id)?|idnr|identifikationsnummer|steuer-?id"
_BELGIAN_WORDS = r"rijksregister\w*|registre national|national number|niss|insz|nrn"

NATIONAL = (
    _number("us-ssn", r"\d{3}-\d{2}-\d{4}", is_ssn),
    _named("us-ssn", r"\d{3} \d{2} \d{4}|\d{9}", is_ssn, r"ssn|social security(?: number| no\.?)?"),
    _number("uk-nino", _NINO_PREFIX + r"(?: ?\d{2}){3} ?[A-Da-d]", _is_nino, among="letters"),
    _named("uk-nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", is_nhs, "nhs|patient|health"),
    _named("de-tax-id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", is_german_tax_id, _GERMAN_WORDS),
    _number(
        "fr-insee",
        _INSEE,
        is_insee,
        among="insee",
    ),
    _number("es-dni", _DNI, is_dni, among="letters"),
    _number(
        "it-codice-fiscale",
        r"[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z]",
        is_codice_fiscale,
        sign="code",
        among="letters",
    ),
    _named("nl-bsn", r"\d{8,9}", is_bsn, "bsn|burgerservicenummer|sofinummer|sofi"),
    _named("pl-pesel", r"\d{11}", is_pesel, "pesel"),
    _number("be-national", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", is_belgian),
    _named("be-national", r"\d{11}", is_belgian, _BELGIAN_WORDS),
    _number("br-cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", is_cpf),
    _named("br-cpf", r"\d{11}", is_cpf, "cpf"),
    _number("br-cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", is_cnpj),
    _named("br-cnpj", r"\d{14}", is_cnpj, "cnpj"),
    _number("in-aadhaar", r"\d{4} \d{4} \d{4}|\d{4}-\d{4}-\d{4}", is_aadhaar, r"aadhaa?r|uid(?:ai)?|india"),
    _named("in-aadhaar", r"\d{12}", is_aadhaar, "aadhaa?r|uid(?:ai)?"),
    _number(
        "passport",
        _PASSPORT,
        is_passport,
        among="passports",
    ),
)
