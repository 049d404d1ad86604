"""Personal data is found by its check digits and its context, and look-alikes are left alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.guard.pii import Pii, Redactor, find_pii
from assay.guard.pii.checksums import luhn, mod97, verhoeff
from assay.guard.pii.find import RECOGNISERS, _signs
from assay.guard.pii.recogniser import NEAR_AFTER, NEAR_BEFORE, context
from assay.guard.pii.redaction import Redaction

KEY = bytes(range(32))
SYNTHETIC = Path(__file__).parents[3] / "shared" / "data" / "pii" / "presidio-synth-v2.json"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find_pii(text)]


# (what it is, a text that has one, a look-alike that has none)
PAIRS = [
    ("card", "Paid with 4111 1111 1111 1111.", "Order 4111 1111 1111 1112."),
    ("card", "Amex 378282246310005 expires soon", "Part 378282246310006 is sold out"),
    ("card", "card 630427373398", "batch 630427373398"),
    ("iban", "To DE89 3704 0044 0532 0130 00 please", "To DE88 3704 0044 0532 0130 00 please"),
    ("iban", "gb82 west 1234 5698 7654 32", "gb82 west 1234 5698 7654 33"),
    ("email", "write to jane.doe+x@mail.co.uk", "write to jane at home, or user@example.invalid"),
    ("iban", "NO93 8601 1117 947", "NO93 8601 1117 948"),
    ("phone", "+49 (0)30 901820 is our desk", "+3 points for us"),
    ("phone", "Call 415-555-2671 ext. 12", "Model 4155-552-671"),
    ("phone", "my phone is 467 3395", "we sold 467 3395 times"),
    ("phone", "ring 030 901820 now", "version 030.1"),
    ("ip", "from 203.0.113.77 today", "section 1.2.3.4.5 or 300.1.1.1"),
    ("ip", "host 2001:db8::8a2e:370:7334", "at 12:30:45 we met"),
    ("url", "see https://docs.acme.io/a?b=1.", "see https://service.invalid/"),
    ("domain", "ask at acme-tools.co.uk", "open setup.py and e.g. this"),
    ("us-ssn", "SSN 536-90-4399", "code 666-12-1234"),
    ("uk-nino", "NI number AB 12 34 56 C", "flight GB 12 34 56 C"),
    ("uk-nhs", "NHS 943 476 5919", "NHS 943 476 5918"),
    ("de-tax-id", "Steuer-ID 86 095 742 719", "Steuer-ID 86 095 742 718"),
    ("fr-insee", "1 84 12 76 451 089 46", "1 84 12 76 451 089 47"),
    ("es-dni", "DNI 12345678Z", "DNI 12345678A"),
    ("es-dni", "NIE X1234567L", "NIE X1234567A"),
    ("it-codice-fiscale", "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    ("nl-bsn", "BSN 111222333", "order 111222333"),
    ("pl-pesel", "PESEL 44051401359", "PESEL 44051401358"),
    ("be-national", "85.07.30-033.28", "85.07.30-033.29"),
    ("br-cpf", "529.982.247-25", "529.982.247-26"),
    ("br-cnpj", "11.222.333/0001-81", "11.222.333/0001-82"),
    ("in-aadhaar", "Aadhaar 2341 2341 2346", "Aadhaar 2341 2341 2347"),
    (
        "passport",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<11",
    ),
    ("wallet", "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
    ("wallet", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "twin"), PAIRS, ids=[f"{kind}-{at}" for at, (kind, *_) in enumerate(PAIRS)]
)
def test_each_kind_is_found_and_its_look_alike_is_not(kind: str, text: str, twin: str) -> None:
    assert kind in {found for found, _ in kinds(text)}
    assert kind not in {found for found, _ in kinds(twin)}


@pytest.mark.parametrize(
    "text",
    [
        "The meeting is on 2024-03-15 at 10:30, room 12.",
        "Version 3.11.7 of 2023-12-04 fixes 1,234,567 bugs (4.5 %).",
        "ISBN 978-3-16-148410-0 costs 19.99.",
        "Add 250 g of flour, 3 eggs and 125 ml of milk.",
        "The vector is [0.123, 4.567, 8.901].",
    ],
)
def test_ordinary_numbers_are_nobodys(text: str) -> None:
    assert kinds(text) == []


def test_the_value_alone_is_found() -> None:
    text = "Mail ann@corp.de, card 5555-5555-5555-4444, now."
    assert kinds(text) == [("email", "ann@corp.de"), ("card", "5555-5555-5555-4444")]


@given(st.integers(0, 10**15), st.integers(0, 15), st.integers(1, 9))
def test_a_changed_digit_breaks_the_luhn_check(number: int, at: int, by: int) -> None:
    body = f"{number:015d}"
    card = next(body + digit for digit in "0123456789" if luhn(body + digit))
    changed = card[:at] + str((int(card[at]) + by) % 10) + card[at + 1 :]
    assert not luhn(changed)


@given(st.integers(0, 10**11 - 1), st.integers(0, 11), st.integers(1, 9))
def test_a_changed_digit_breaks_the_verhoeff_check(number: int, at: int, by: int) -> None:
    body = f"{number:011d}"
    whole = next(body + digit for digit in "0123456789" if verhoeff(body + digit))
    changed = whole[:at] + str((int(whole[at]) + by) % 10) + whole[at + 1 :]
    assert not verhoeff(changed)


def test_iban_examples_of_the_registry_hold() -> None:
    for account in ("NO9386011117947", "MT84MALT011000012345MTLCAST001S", "FR1420041010050500013M02606"):
        assert mod97(account)


@given(st.text(max_size=200) | st.text(st.sampled_from("0123456789+-.()@: /ABCdef"), max_size=120))
@settings(max_examples=200, deadline=None)
def test_spans_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    found = find_pii(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(first.end <= second.start for first, second in pairwise(found))


@pytest.mark.parametrize("way", list(Redaction))
def test_what_is_redacted_is_gone_and_the_same_each_time(way: Redaction) -> None:
    text = "Mail ann@corp.de, card 5555-5555-5555-4444, IBAN DE89 3704 0044 0532 0130 00, call +49 30 901820."
    redactor = Redactor(way, KEY if way is not Redaction.LABEL else b"")
    for one in find_pii(text):
        value = text[one.start : one.end]
        shown = redactor.replace(one.kind, value)
        assert value not in shown
        assert shown == redactor.replace(one.kind, value)
        if one.kind in {"card", "iban", "email"}:
            assert one.kind not in {kind for kind, _ in kinds(shown)}


def test_the_form_stays_and_depends_on_the_key() -> None:
    first, second = Redactor(Redaction.FORMAT, KEY), Redactor(Redaction.FORMAT, KEY[::-1])
    shown = first.replace("card", "5555-5555-5555-4444")
    assert [len(part) for part in shown.split("-")] == [4, 4, 4, 4]
    assert shown != second.replace("card", "5555-5555-5555-4444")
    spaced = first.replace("card", "5555 5555 5555 4444")
    assert spaced.replace(" ", "-") == shown


def test_a_keyed_redaction_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="16 bytes"):
        Redactor(Redaction.TOKEN)


@pytest.mark.skipif(not SYNTHETIC.exists(), reason="the shared data set presidio-synth-v2.json is not here")
def test_synthetic_sentences_of_presidio() -> None:
    wanted = {"CREDIT_CARD": "card", "IBAN_CODE": "iban", "EMAIL_ADDRESS": "email", "US_SSN": "us-ssn",
              "IP_ADDRESS": "ip", "PHONE_NUMBER": "phone"}  # fmt: skip
    hits = misses = wrong = 0
    for row in json.loads(SYNTHETIC.read_text()):
        truth = {
            (wanted[s["entity_type"]], s["entity_value"]) for s in row["spans"] if s["entity_type"] in wanted
        }
        found = {pair for pair in kinds(row["full_text"]) if pair[0] in wanted.values()}
        hits, misses, wrong = (
            hits + len(truth & found),
            misses + len(truth - found),
            wrong + len(found - truth),
        )
    assert 2 * hits / (2 * hits + misses + wrong) >= 0.85


def test_results_are_values() -> None:
    (one,) = find_pii("SSN 536-90-4399")
    assert isinstance(one, Pii)
    assert one.score > 0.9


def one_by_one(text: str) -> tuple[Pii, ...]:
    """The same search without first looks at patterns and words: every recogniser over all of the text."""
    first, taken = _signs().first.shown(text), list[Pii]()
    for one in RECOGNISERS:
        for match in one.pattern.finditer(text) if one.sign in first else ():
            start, end = match.span()
            free = all(end <= other.start or start >= other.end for other in taken)
            near = context(one.context)._words if one.context else None
            named = near is not None and bool(
                near.search(text, max(0, start - NEAR_BEFORE), start)
                or near.search(text, end, end + NEAR_AFTER)
            )
            if free and one.check(match.group()) and (named or not one.needed):
                score = one.score + (1 - one.score) / 2 if named else one.score
                taken.append(Pii(one.kind, start, end, one.severity, score))
    return tuple(sorted(taken, key=lambda found: found.start))


SAID = st.sampled_from([
    *(text for _, text, _ in PAIRS), *(twin for _, _, twin in PAIRS), " ", "\n", ", ", "-", "1",
    "\u0130", "\u0663", "card ", "phone: ", "hotel ", "number ", "license number ", "tax id ", "\u2116 ",
    "a@b.de", "www.x-y.org/z",
])  # fmt: skip


@given(st.lists(SAID, max_size=8).map("".join))
@settings(max_examples=250)
def test_first_looks_lose_nothing(text: str) -> None:
    assert find_pii(text) == one_by_one(text)
