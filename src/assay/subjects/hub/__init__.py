"""Models as a hub hands them out: their names, what they say of themselves, what a download leaves behind.

`names` repository names · `card` the model card's front matter · `configuration` what a loader is told to
run · `cache` revisions and digests of a download · `licences` licence texts and their names, with
`licences.yaml` · `files` bounded reading. Nothing here asks a hub, and nothing judges; `model.origin` does.
"""

from assay.subjects.hub.cache import Download, download_of
from assay.subjects.hub.card import ModelCard, read_card
from assay.subjects.hub.configuration import Configuration, read_configuration
from assay.subjects.hub.licences import Licence, licence_named, licences_in, read_licence_files
from assay.subjects.hub.names import Repository, parse_source, repository_in

__all__ = [
    "Configuration",
    "Download",
    "Licence",
    "ModelCard",
    "Repository",
    "download_of",
    "licence_named",
    "licences_in",
    "parse_source",
    "read_card",
    "read_configuration",
    "read_licence_files",
    "repository_in",
]
