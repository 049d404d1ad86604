"""On which terms the model may be used, as its card, its files and its bases say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.checks.pretraining.model_origin.known import known as known_publishers
from assay.checks.pretraining.model_origin.options import OriginOptions
from assay.checks.pretraining.model_origin.provenance import Provenance
from assay.checks.pretraining.model_origin.rules import CONFLICT, LICENCE_NOT_ALLOWED, NO_LICENCE, TERMS
from assay.core.finding import Finding, Location, Severity
from assay.subjects.hub import Licence, licence_named
from assay.subjects.hub.card import FILE as CARD

# What a card writes where it has nothing to say.
_NOTHING = {"other", "unknown", "none", ""}


@dataclass(frozen=True, slots=True)
class Terms:
    """The licences that count.

    Attributes:
        declared: licences of the card that are known.
        unknown: what the card writes besides, as written.
        found: licences whose text stands in a licence file.
        inherited: base model to the licence that it comes under.
        files: licence files, recognised or not.
    """

    declared: tuple[Licence, ...]
    unknown: tuple[str, ...]
    found: tuple[Licence, ...]
    inherited: dict[str, Licence]
    files: tuple[str, ...]

    @property
    def own(self) -> tuple[Licence, ...]:
        """The model's own licences: the card's, else those in its files."""
        return self.declared or (() if self.unknown else self.found)

    @property
    def stated(self) -> bool:
        """Whether there are any terms at all."""
        return bool(self.declared or self.unknown or self.files)


def terms_of(known: Provenance) -> Terms:
    """The licences that count for a model."""
    written = [text for text in known.card.licences if text.lower() not in _NOTHING]
    if known.card.licence_name and len(written) < len(known.card.licences):
        written.append(known.card.licence_name)
    pairs = [(text, licence_named(text)) for text in written]
    inherited = {}
    for base in (*known.bases, *((known.source,) if known.source else ())):
        licence = licence_named(known_publishers().terms_of(base.id))
        if licence:
            inherited[base.id] = licence
    found = {licence.id: licence for listed in known.licence_files.values() for licence in listed}
    return Terms(
        declared=tuple(licence for _, licence in pairs if licence),
        unknown=tuple(text for text, licence in pairs if licence is None),
        found=tuple(found.values()),
        inherited=inherited,
        files=tuple(known.licence_files),
    )


def judge_licences(terms: Terms, options: OriginOptions) -> Iterator[Finding]:
    """Findings about a model's licences."""
    if not terms.stated:
        severity = Severity.HIGH if options.allowed_licences else None
        yield NO_LICENCE.finding("The model states no licence.", severity=severity)
    yield from _conflicts(terms)
    effective = {licence.id: licence for licence in (*terms.own, *terms.inherited.values())}
    for licence in effective.values():
        if not licence.permissive:
            yield TERMS.finding(f"{licence.id} is {_conditions(licence)}.", Location(CARD, name=licence.id))
    if options.allowed_licences:
        yield from _not_allowed(terms, list(effective), options)


def _conflicts(terms: Terms) -> Iterator[Finding]:
    declared = {_family(licence) for licence in terms.declared}
    found = {_family(licence) for licence in terms.found}
    if declared and found and not declared & found:
        message = (
            f"The card states {_listed(terms.declared)}, and {terms.files[0]} is {_listed(terms.found)}."
        )
        yield CONFLICT.finding(message[:300], Location(CARD))
    for base, licence in terms.inherited.items():
        if declared and _family(licence) not in declared:
            message = f"The card states {_listed(terms.declared)}, and {base[:100]} comes under {licence.id}."
            yield CONFLICT.finding(message[:300], Location(CARD, name=base))


def _not_allowed(terms: Terms, effective: list[str], options: OriginOptions) -> Iterator[Finding]:
    names = {_allowed_name(text) for text in options.allowed_licences}
    unknown = [text for text in terms.unknown if text.lower() not in names]
    if not effective and not terms.unknown and terms.files:
        unknown.append(f"the text of {terms.files[0]}")
    for text in [name for name in effective if name.lower() not in names] + unknown:
        yield LICENCE_NOT_ALLOWED.finding(f"The licence is not on your list: {text[:100]}.", Location(CARD))


def _allowed_name(text: str) -> str:
    licence = licence_named(text)
    return (licence.id if licence else text).lower()


def _conditions(licence: Licence) -> str:
    return {
        "copyleft": "a licence that derived models must carry on",
        "conditional": "a licence that forbids some uses",
        "non-commercial": "a licence that forbids commercial use",
    }[licence.kind]


def _family(licence: Licence) -> str:
    # The text of "only" and "or later" is the same.
    return licence.id.removesuffix("-only").removesuffix("-or-later")


def _listed(licences: Sequence[Licence]) -> str:
    return ", ".join(licence.id for licence in licences)
