"""What is known of a model's origin, from its files and from what the user declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.checks.pretraining.model_origin.options import OriginOptions
from assay.core.errors import SubjectError
from assay.subjects.hub import (
    Configuration,
    Download,
    Licence,
    ModelCard,
    Repository,
    download_of,
    parse_source,
    read_card,
    read_configuration,
    read_licence_files,
    repository_in,
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known.

    Attributes:
        card, configuration, download: as read.
        licence_files: licence file to the licences recognised in it.
        declared: the source that the user declares.
        bases: what the model was made from, as far as it can be named; pinned where somebody pins it.
        unnamed: base models in the card that name no repository.
    """

    card: ModelCard
    configuration: Configuration
    download: Download
    licence_files: Mapping[str, tuple[Licence, ...]]
    declared: Repository | None
    bases: tuple[Repository, ...]
    unnamed: tuple[str, ...]

    @property
    def source(self) -> Repository | None:
        """Where the model itself was taken from: as declared, else as the download says."""
        declared, found = self.declared, self.download.repository
        if declared is None or declared.pinned:
            return declared or found
        revisions = self.download.revisions
        return declared.at(revisions[0]) if len(revisions) == 1 else declared


def provenance_of(
    folder: Path | None, names: list[str], options: OriginOptions
) -> tuple[Provenance, list[SubjectError]]:
    """Read what there is, and say what could not be read.

    Args:
        folder: the model's folder, or None for a single file.
        names: the model's files.
        options: what the user declares.

    Raises:
        ConfigError: a declared name is not that of a repository.
    """
    declared = parse_source(options.source) if options.source else None
    own = [parse_source(text) for text in options.base_models]
    if folder is None:
        empty = Provenance(ModelCard(), Configuration(), Download(), {}, declared, tuple(own), ())
        return empty, []
    problems: list[SubjectError] = []
    try:
        card = read_card(folder)
    except SubjectError as error:
        card = ModelCard(present=True, front_matter=True)
        problems.append(error)
    configuration, unread = read_configuration(folder)
    licence_files, more = read_licence_files(folder)
    problems += [*unread, *more]
    stated = {text: repository_in(text) for text in card.base_models}
    adapter = repository_in(configuration.base)
    named = [*own, *(r for r in stated.values() if r)]
    if adapter and adapter.org:
        named.append(adapter.at(configuration.base_revision or adapter.revision))
    known = Provenance(
        card=card,
        configuration=configuration,
        download=download_of(folder, names),
        licence_files=licence_files,
        declared=declared,
        bases=_distinct(named),
        unnamed=tuple(text for text, repository in stated.items() if repository is None),
    )
    return known, problems


def _distinct(repositories: list[Repository]) -> tuple[Repository, ...]:
    found: dict[str, Repository] = {}
    for repository in repositories:
        key = repository.id.lower()
        if key not in found or (repository.pinned and not found[key].pinned):
            found[key] = repository
    return tuple(found.values())
