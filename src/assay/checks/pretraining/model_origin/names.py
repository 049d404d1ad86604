"""Names that only look like a known publisher's, and names that changed hands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from assay.checks.pretraining.model_origin.known import Known, known
from assay.checks.pretraining.model_origin.likeness import distance, skeleton, tolerated
from assay.checks.pretraining.model_origin.rules import COPIED, LOOK_ALIKE, RENAMED
from assay.core.finding import Finding, Location, Severity
from assay.subjects.hub import Repository

# What an impostor adds to a name to be taken for the publisher.
_ADDED = re.compile(
    r"[-_.]?(official|original|real|release[sd]?|team|hf|labs?|ai|inc|org|models?|the)(?=[-_.]|$)"
)
LONG = 8  # letters from which a near miss is no accident


def judge_name(
    repository: Repository, what: str, accepted: Mapping[str, str], place: Location
) -> Iterator[Finding]:
    """What to say of a repository's name.

    Args:
        repository: the name.
        what: what it is the name of, for the message: `base model`.
        accepted: names that the user vouches for, with reasons.
        place: where it was read.
    """
    if any(name.lower() == repository.id.lower() and reason.strip() for name, reason in accepted.items()):
        return
    data = known()
    moved = _renamed(repository, what, data, place)
    alike = None if moved else _alike(repository, data)
    if moved:
        yield moved
    elif alike:
        severity, words = alike
        message = f"The {what} {repository.id[:100]!r} {words}."
        yield LOOK_ALIKE.finding(message, place, severity=severity, data={"name": ascii(repository.id)})
    elif copied := _copied(repository, data):
        message = (
            f"The {what} {repository.id[:100]!r} bears the name of a model of {copied}, and is not theirs."
        )
        yield COPIED.finding(message, place)


def allowed(repository: Repository, patterns: list[str]) -> bool:
    """Whether a repository is one of those that the user allows; capitals do not matter."""
    return any(fnmatchcase(repository.id.lower(), pattern.lower()) for pattern in patterns)


def _renamed(repository: Repository, what: str, data: Known, place: Location) -> Finding | None:
    if not repository.org:
        now = data.canonical.get(repository.name.lower())
        if now is None:
            return None
        message = f"The {what} {repository.name!r} stands at {now} now."
        return RENAMED.finding(message, place, severity=Severity.INFO)
    for key in (repository.id.lower(), repository.org.lower()):
        if key in data.renamed:
            now = data.renamed[key]
            where = f"was renamed to {now}" if now else "was given up by its owner"
            message = f"The {what} {repository.id[:100]!r} is fetched by a name that {where}."
            return RENAMED.finding(message, place, severity=Severity.LOW if repository.pinned else None)
    return None


def _alike(repository: Repository, data: Known) -> tuple[Severity, str] | None:
    """How bad it is that a name looks like another, and in which way; None where it does not."""
    org, name = repository.org.lower(), repository.name.lower()
    if not repository.id.isascii():
        return Severity.HIGH, f"has letters that no repository's name can have: {ascii(repository.id)[:150]}"
    if not org or org in data.publishers or org in data.accounts:
        return None
    if name in data.publishers and data.resembles(name, org):
        return Severity.HIGH, f"has organisation and model of {data.publishers[name]} the wrong way round"
    for publisher, written in data.publishers.items():
        if skeleton(org) == skeleton(publisher):
            return Severity.HIGH, f"is written almost as {written} is, and is not theirs"
        apart = distance(org, publisher)
        theirs = data.resembles(publisher, name)
        if apart <= tolerated(publisher) and (theirs or len(publisher) >= LONG):
            severity = Severity.HIGH if theirs else Severity.MEDIUM
            return severity, f"differs from {written} in {apart} letter{'s' if apart > 1 else ''}"
        if theirs and _bare(org) == _bare(publisher):
            return Severity.HIGH, f"adds a word to the name of {written}, whose model it claims to be"
    return None


def _bare(org: str) -> str:
    """A namespace without the words that an impostor adds."""
    return skeleton(_ADDED.sub("", org)) or org


def _copied(repository: Repository, data: Known) -> str:
    if not repository.org or repository.org.lower() in {*data.publishers, *data.accounts}:
        return ""
    return data.publisher_of(repository.name)
