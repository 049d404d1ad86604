"""The shape of `gateway` in `assay.yaml`: how the reverse proxy listens, whom it asks and what it refuses."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.core.guard_config import GuardSection
from assay.core.section import Section

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Unlooked = Literal["block", "flag", "allow"]
KEEP_FREE = 1 << 30  # the largest size that may be set, in bytes


class TlsSection(Section):
    """`gateway.tls`: PEM files."""

    certificate: str = Field(min_length=1)
    key: str = Field(min_length=1)


class UpstreamSection(Section):
    """An entry of `gateway.upstreams`: an OpenAI-compatible API that answers."""

    name: Label
    url: str = Field(description="base URL with /v1")
    api_key_env: str = Field("", description="environment variable that holds its API key")
    weight: int = Field(1, ge=1, le=1000, description="share of the requests that it may answer")
    models: list[str] = Field(
        default_factory=lambda: ["*"], min_length=1, description="names; * and ? are wild"
    )
    connect_seconds: float = Field(5, gt=0, le=300)
    silence_seconds: float = Field(120, gt=0, le=3600, description="longest wait for the next byte")


class RetrySection(Section):
    """`gateway.retry`: other upstreams are tried until the first byte of an answer."""

    attempts: int = Field(3, ge=1, le=10, description="in all")
    failures: int = Field(5, ge=1, le=1000, description="in a row, after which an upstream is left alone")
    rest_seconds: float = Field(30, gt=0, le=3600, description="for how long it is left alone")


class LimitSection(Section):
    """`gateway.limits`: what one key may use, unless the key itself says otherwise; 0 is no limit."""

    requests_per_minute: int = Field(600, ge=0)
    tokens_per_minute: int = Field(0, ge=0)
    concurrent: int = Field(64, ge=0)
    body_bytes: int = Field(4 << 20, ge=1024, le=KEEP_FREE)


class ServerSection(Section):
    """`gateway.server`: what all clients together may use, and how long they may take."""

    in_flight: int = Field(512, ge=1, description="requests at a time")
    head_seconds: float = Field(10, gt=0, le=600, description="for a request's head to arrive")
    body_seconds: float = Field(30, gt=0, le=3600, description="for a request's body to arrive")
    write_seconds: float = Field(60, gt=0, le=3600, description="for a client to take what is sent")
    drain_seconds: int = Field(60, ge=1, le=3600, description="for running requests to end after SIGTERM")
    answer_bytes: int = Field(32 << 20, ge=1024, le=KEEP_FREE, description="largest answer of an upstream")


class UnscannedSection(Section):
    """`gateway.unscanned`: what becomes of a request with parts that the guard cannot look at."""

    media: Unlooked = Field("block", description="images, audio, files, and parts of an unknown kind")
    tokens: Unlooked = Field("block", description="prompts as token numbers")
    stored: Unlooked = Field(
        "block", description="what the upstream has stored: earlier responses, prompts, files"
    )
    hosted: Unlooked = Field("block", description="tools that the upstream runs: search, code, MCP servers")


class GuardingSection(Section):
    """`gateway.guarding`: how texts are judged; `guard` says by which policy."""

    hold_back: int = Field(
        640, ge=384, le=65_536, description="characters of a stream that wait at most to be judged"
    )
    threads: int = Field(2, ge=1, le=64)
    queue: int = Field(256, ge=1, le=100_000, description="texts that may wait for a thread")


class CanarySection(Section):
    """`gateway.canary`: a marker in system prompts that must not come out."""

    use: Literal["plant", "watch", "off"] = "plant"
    markers: list[Annotated[str, Field(min_length=8, max_length=200)]] = Field(
        default_factory=list, max_length=1000, description="markers of your own to watch for"
    )


class AuditSection(Section):
    """`gateway.audit`: one record a request."""

    file: str = Field("audit.jsonl", description="relative to `state`")
    texts: bool = Field(default=False, description="record the texts themselves")
    required: bool = Field(default=True, description="refuse requests while it cannot be written")


class WindowSection(Section):
    """`gateway.windows`: samples of the traffic, for `monitor.drift`."""

    use: bool = False
    folder: str = Field("windows", description="relative to `state`")
    seconds: float = Field(3600, ge=1, le=604_800, description="how long a window is")
    rows: int = Field(1000, ge=1, le=100_000, description="sampled in a window, of each kind")


class TelemetrySection(Section):
    """`gateway.telemetry`: OpenTelemetry; needs the extra `otel`."""

    otlp: str = Field("", description="base URL of a collector (OTLP over HTTP); empty is off")
    service: Label = "assay-gateway"


class GatewaySection(Section):
    """`gateway`: the reverse proxy with the guard inside."""

    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8100, ge=0, le=65_535, description="0 picks a free one")
    tls: TlsSection | None = None
    workers: int = Field(1, ge=1, le=256, description="processes; limits are divided among them")
    state: str = Field(".assay/gateway", description="folder of keys, records and samples")
    auth: Literal["keys", "none"] = "keys"
    upstreams: list[UpstreamSection] = Field(min_length=1, max_length=100)
    retry: RetrySection = RetrySection()
    limits: LimitSection = LimitSection()
    server: ServerSection = ServerSection()
    unscanned: UnscannedSection = UnscannedSection()
    guarding: GuardingSection = GuardingSection()
    canary: CanarySection = CanarySection()
    audit: AuditSection = AuditSection()
    windows: WindowSection = WindowSection()
    metrics: Literal["keys", "open", "off"] = Field("keys", description="who may read /metrics")
    telemetry: TelemetrySection = TelemetrySection()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.upstreams]
        if len(set(names)) != len(names):
            raise ValueError("two upstreams have the same name")
        return self


class GatewayFile(Section):
    """A configuration file of the gateway alone, where no model is released: `guard` and `gateway`."""

    version: Literal[1] = 1
    guard: GuardSection = GuardSection()
    gateway: GatewaySection
