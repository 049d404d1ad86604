"""Names of repositories: `org/name`, `hf://org/name@revision`, addresses on huggingface.co."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from packageurl import PackageURL

from assay.core.errors import ConfigError

MAX_NAME = 200
REVISION = re.compile(r"[0-9a-f]{40}")
_HOSTS = re.compile(r"(hf://|https?://(www\.)?(huggingface\.co|hf\.co)/)(models/)?", re.IGNORECASE)
# Any letter, also those a hub would refuse: a name that only looks like another must reach the judge.
_PART = re.compile(r"[^\W_][\w.-]{0,95}")
_TAIL = re.compile(r"(/(tree|blob|resolve)/([^/?#]+))?/?([?#].*)?$")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on a hub.

    Attributes:
        org: the user or organisation, or "" for one of the few names without.
        name: the repository's own name.
        revision: commit, branch or tag, as written; "" where none is.
    """

    org: str
    name: str
    revision: str = ""

    @property
    def id(self) -> str:
        """`org/name`."""
        return f"{self.org}/{self.name}" if self.org else self.name

    @property
    def pinned(self) -> bool:
        """Whether the revision is a full commit hash, which names the same bytes for ever."""
        return REVISION.fullmatch(self.revision) is not None

    @property
    def purl(self) -> str:
        """Its package URL."""
        return str(PackageURL("huggingface", self.org or None, self.name, self.revision or None))

    def at(self, revision: str) -> Repository:
        """The same repository at another revision."""
        return replace(self, revision=revision)


def repository_in(text: object) -> Repository | None:
    """The repository that a card or configuration names, or None: a local path, a sentence, nothing."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_NAME:
        return None
    host = _HOSTS.match(text)
    if "://" in text and not host:
        return None
    rest = text[host.end() :] if host else text
    revision = ""
    if host and not text.lower().startswith("hf://"):
        tail = _TAIL.search(rest)
        revision = (tail[3] or "") if tail else ""
        rest = rest[: tail.start()] if tail else rest
    elif "@" in rest:
        rest, _, revision = rest.partition("@")
    parts = rest.split("/")
    if len(parts) not in {1, 2} or not all(_PART.fullmatch(part) for part in parts):
        return None
    return Repository(parts[0] if parts[1:] else "", parts[-1], revision)


def parse_source(text: str) -> Repository:
    """The repository that a user declares.

    Raises:
        ConfigError: it is not the name of one.
    """
    found = repository_in(text)
    if found is None or not found.org:
        raise ConfigError(
            f"{text[:80]!r} is not the name of a repository", remedy="Write hf://org/name@revision."
        )
    return found
