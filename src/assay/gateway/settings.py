"""The configuration of a gateway: the sections `gateway` and `guard` of a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import ConfigError
from assay.core.gateway_config import GatewayFile, GatewaySection
from assay.core.guard_config import GuardSection
from assay.core.strict_yaml import read_yaml, validated
from assay.guard.policy import GuardPolicy, parse_policy
from assay.pipeline.project import load_project

PAGE = "docs/gateway.md"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file says.

    Attributes:
        file: the file.
        section: `gateway`.
        policy: `guard`.
        digest: SHA-256 of both, for records.
    """

    file: Path
    section: GatewaySection
    policy: GuardPolicy
    digest: str

    @property
    def state(self) -> Path:
        """The folder of keys, records and samples."""
        return self.file.absolute().parent / self.section.state


def load_settings(file: Path) -> Settings:
    """Read a file: an `assay.yaml`, or one with `guard` and `gateway` alone.

    Raises:
        ConfigError: it cannot be read, has no gateway, or a value does not fit.
    """
    document = read_yaml(file)
    if isinstance(document, dict) and "model" in document:
        config = load_project(file).config
        if config.gateway is None:
            raise ConfigError("has no section 'gateway'", subject=str(file), remedy=f"See {PAGE}.")
        section, guard = config.gateway, config.guard
    else:
        whole = validated(GatewayFile, document, source=str(file), page=PAGE)
        section, guard = whole.gateway, whole.guard
    policy = parse_policy(guard, source=str(file), folder=file.absolute().parent)
    return Settings(file, section, policy, _digest(section, guard))


def _digest(section: GatewaySection, guard: GuardSection) -> str:
    said = section.model_dump_json() + "\n" + guard.model_dump_json()
    return hashlib.sha256(said.encode()).hexdigest()
