"""The shape of `assay.yaml` and the ignore file. Unknown keys are errors: a typo must not switch a check off.

pipeline/project.py and pipeline/ignoring.py find and read them; here stands only what they may say.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from assay.core.gateway_config import GatewaySection
from assay.core.guard_config import GuardSection
from assay.core.section import Section

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class ModelSection(Section):
    """`model`: what is released."""

    name: Name
    path: str = Field(description="file or folder of the candidate, relative to assay.yaml")


class DataSection(Section):
    """`data`: what the candidate was trained on."""

    path: str
    format: str = Field("auto", description="auto, jsonl, csv, tsv, parquet, text")


class VectorsSection(Section):
    """`vectors`: the store that the model is given texts from."""

    path: str = Field(description="file or folder of the store")
    baseline: str = Field("", description="the store, or a copy of it, as it was approved")


class ServeSection(Section):
    """`endpoint.serve`: how to start a server for a model folder, for the behaviour checks.

    `{model}`, `{port}` and `{python}` are filled in. The command runs without a shell, and only after
    `artifact.scan` passed on that model.
    """

    command: list[str] = Field(min_length=1)
    ready: str = Field("/v1/models", description="path that answers 200 once the server is up")
    start_timeout: float = Field(60, gt=0, le=3600, description="seconds")


class EndpointSection(Section):
    """`endpoint`: where the model answers, as an OpenAI-compatible API."""

    url: str = Field("", description="base URL with /v1 of a running server; empty with `serve`")
    baseline_url: str = Field("", description="the approved model's endpoint, when not served by us")
    model: str = Field("", description="model name to send; defaults to the registered model's name")
    api_key_env: str = Field("", description="environment variable that holds the API key")
    serve: ServeSection | None = None


class RegistrySection(Section):
    """`registry`: where models live and aliases point."""

    kind: Literal["folder", "mlflow"] = "folder"
    uri: str = Field("", description="folder path or MLflow tracking URI")
    alias: Name = "champion"


class LedgerSection(Section):
    """`ledger`: the append-only log."""

    uri: str = Field(".assay/ledger.db", description="SQLite file, relative to assay.yaml")


class SigningSection(Section):
    """`signing`: the key evidence is signed with, and the keys that are trusted."""

    key: str = Field("", description="private key file; empty is the user's own, made on first use")
    trusted: list[str] = Field(default_factory=list, description="public key files besides our own")


class NotApplicableSection(Section):
    """A check that does not apply here, and why; the declaration is signed as evidence."""

    reason: str = Field(min_length=10)
    expires: date | None = None


class IgnoreSection(Section):
    """An entry of the ignore file: which findings, why they may stay, and until when."""

    reason: str = Field(min_length=10)
    expires: date
    rule: str = ""
    check: str = ""
    path: str = ""
    name: str = ""
    fingerprint: str = Field("", pattern=r"^([0-9a-f]{12,32})?$")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.rule.strip("*?") or self.path.strip("*?") or self.name.strip("*?") or self.fingerprint):
            raise ValueError("an entry must name a rule, path, name or fingerprint")
        return self


class IgnoreFile(Section):
    """`assay-ignore.yaml`."""

    version: Literal[1] = 1
    ignore: list[IgnoreSection] = Field(default_factory=list, max_length=10_000)


class PolicySection(Section):
    """`policy`: which packs decide."""

    packs: list[str] = Field(default_factory=lambda: ["baseline"], min_length=1)
    engine: str = Field("regopy", description="regopy, or the path of an opa binary")
    max_age_days: int = Field(30, gt=0, le=36_500, description="older evidence counts as stale")
    data: dict[str, Any] = Field(default_factory=dict, description="handed to the policy as data.user")


class Project(Section):
    """`assay.yaml`."""

    version: Literal[1] = 1
    model: ModelSection
    data: DataSection | None = None
    endpoint: EndpointSection | None = None
    vectors: VectorsSection | None = None
    infrastructure: str | None = Field(None, description="folder of infrastructure code")
    environment: str = Field("", description="prefix of the Python environment; empty is this one")
    registry: RegistrySection = RegistrySection()
    ledger: LedgerSection = LedgerSection()
    signing: SigningSection = SigningSection()
    policy: PolicySection = PolicySection()
    guard: GuardSection = GuardSection()
    gateway: GatewaySection | None = None
    checks: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options by check name; every installed check runs anyway"
    )
    not_applicable: dict[str, NotApplicableSection] = Field(default_factory=dict)
