"""OpenTelemetry: a span for each request and one for its upstream, in the conventions for generative AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from assay.core.errors import ConfigError
from assay.core.gateway_config import TelemetrySection
from assay.gateway.audit import Outcome, Record

PROVIDER = "openai"  # the API that is spoken


class Telemetry(Protocol):
    """What is told about requests as they pass."""

    def begin(self, headers: Mapping[str, str]) -> Any:
        """A request came; returns what the other methods take."""

    def outgoing(self, trace: Any, operation: str, model: str) -> Mapping[str, str]:
        """An upstream is asked; returns headers for it."""

    def end(self, trace: Any, record: Record, operation: str) -> None:
        """The request is over."""

    def close(self) -> None:
        """Send the rest."""


class NoTelemetry:
    """Nothing is told."""

    def begin(self, headers: Mapping[str, str]) -> Any:  # noqa: ARG002
        """A request came."""
        return None

    def outgoing(self, trace: Any, operation: str, model: str) -> Mapping[str, str]:  # noqa: ARG002
        """An upstream is asked."""
        return {}

    def end(self, trace: Any, record: Record, operation: str) -> None:
        """The request is over."""

    def close(self) -> None:
        """Nothing is to be sent."""


class _Trace:
    """The spans of one request."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.upstream: Any = None


class OpenTelemetry:
    """Spans and histograms.

    Args:
        tracers, meters: providers of OpenTelemetry's SDK.
    """

    def __init__(self, tracers: Any, meters: Any) -> None:
        from opentelemetry import trace  # noqa: PLC0415  an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._api, self._tracers, self._meters = trace, tracers, meters
        self._context = TraceContextTextMapPropagator()
        self._tracer = tracers.get_tracer("assay.gateway")
        meter = meters.get_meter("assay.gateway")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
        self._seconds = meter.create_histogram("gen_ai.client.operation.duration", "s")
        self._guard = meter.create_histogram("assay.guard.duration", "s")

    def begin(self, headers: Mapping[str, str]) -> _Trace:
        """A request came, perhaps as a part of a trace."""
        carrier = {key: headers[key] for key in ("traceparent", "tracestate") if key in headers}
        context = self._context.extract(carrier)
        return _Trace(self._tracer.start_span("gateway", context=context, kind=self._api.SpanKind.SERVER))

    def outgoing(self, trace: _Trace, operation: str, model: str) -> Mapping[str, str]:
        """An upstream is asked."""
        context = self._api.set_span_in_context(trace.request)
        trace.upstream = self._tracer.start_span(
            f"{operation} {model}", context=context, kind=self._api.SpanKind.CLIENT
        )
        carrier: dict[str, str] = {}
        self._context.inject(carrier, self._api.set_span_in_context(trace.upstream))
        return carrier

    def end(self, trace: _Trace, record: Record, operation: str) -> None:
        """The request is over: name the spans, and end them."""
        named = _named(record, operation)
        status = self._api.Status(self._api.StatusCode.ERROR, record.reason)
        for span in filter(None, (trace.upstream, trace.request)):
            span.set_attributes(named)
            if record.outcome is Outcome.FAILED:
                span.set_status(status)
        trace.request.update_name(f"POST {record.endpoint}")
        trace.request.set_attributes(_judged(record))
        if trace.upstream is not None:
            self._measure(record, operation)
            trace.upstream.end()
        trace.request.end()

    def close(self) -> None:
        """Send the rest."""
        self._tracers.shutdown()
        self._meters.shutdown()

    def _measure(self, record: Record, operation: str) -> None:
        shared = {"gen_ai.operation.name": operation, "gen_ai.provider.name": PROVIDER}
        shared["gen_ai.request.model"] = record.model
        for kind, count in record.tokens.items():
            self._tokens.record(count, {**shared, "gen_ai.token.type": kind})
        failed = {"error.type": record.code} if record.outcome is Outcome.FAILED else {}
        self._seconds.record(record.seconds["total"], {**shared, **failed})
        self._guard.record(record.input.seconds, {**shared, "assay.direction": "input"})
        self._guard.record(record.output.seconds, {**shared, "assay.direction": "output"})


def _named(record: Record, operation: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": record.model,
        "http.response.status_code": record.status,
    }
    if record.tokens:
        attributes["gen_ai.usage.input_tokens"] = record.tokens["input"]
        attributes["gen_ai.usage.output_tokens"] = record.tokens["output"]
    if record.finish:
        attributes["gen_ai.response.finish_reasons"] = record.finish
    if record.code:
        attributes["error.type"] = record.code
    return attributes


def _judged(record: Record) -> dict[str, Any]:
    return {
        "assay.request.id": record.id,
        "assay.outcome": record.outcome.value,
        "assay.tenant": record.tenant,
        "assay.upstream": record.upstream,
        "assay.guard.input.action": record.input.action.value,
        "assay.guard.output.action": record.output.action.value,
    }


def open_telemetry(section: TelemetrySection) -> Telemetry:
    """What the configuration asks for.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """
    if not section.otlp:
        return NoTelemetry()
    try:
        return _exported(section)
    except ImportError as error:
        raise ConfigError(
            "traces need OpenTelemetry", subject="gateway.telemetry", remedy="pip install 'assay-llm[otel]'"
        ) from error


def _exported(section: TelemetrySection) -> OpenTelemetry:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": section.service})
    base = section.otlp.rstrip("/")
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{base}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{base}/v1/metrics"))
    return OpenTelemetry(tracers, MeterProvider(resource=resource, metric_readers=[reader]))
