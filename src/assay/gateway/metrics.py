"""Counters for Prometheus. No label holds what clients write: they could make as many series as they like."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from assay.gateway.audit import Record, SideRecord
from assay.gateway.serve import SHARED_COUNTERS

if TYPE_CHECKING:
    from assay.gateway.gateway import Gateway

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_GUARD_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """The counters of one gateway."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"assay_gateway_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"assay_gateway_{name}", text, labels, buckets=bounds, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            name = f"assay_gateway_{name}"
            return Gauge(name, text, labels, registry=registry, multiprocess_mode="livesum")

        self._requests = counter("requests", "Requests.", "endpoint", "outcome", "status")
        self._seconds = histogram("request_seconds", "Whole requests.", _REQUEST_SECONDS, "endpoint")
        self._first = histogram(
            "first_byte_seconds", "Until the first byte of a stream left.", _REQUEST_SECONDS, "endpoint"
        )
        self._guard = histogram(
            "guard_seconds", "Spent in the guard, a request.", _GUARD_SECONDS, "endpoint", "direction"
        )
        self._texts = counter("texts", "Texts, by whether they were looked at.", "direction", "state")
        self._actions = counter("actions", "The gravest action, a request.", "direction", "action")
        self._detections = counter("detections", "What was seen.", "direction", "rule")
        self._tokens = counter("tokens", "Tokens, as upstreams count them.", "direction")
        self._upstreams = counter("upstream_requests", "Attempts to ask an upstream.", "upstream", "outcome")
        self._reloads = counter("reloads", "Configurations read while running.", "result")
        self._layers = counter("layer_seconds", "Spent in a layer of the guard.", "layer")
        self._looks = counter("layer_texts", "Texts that a layer looked at.", "layer")
        self._unwritten = counter("audit_failures", "Records that could not be written.")
        self._running = gauge("in_flight", "Requests that are being served.")
        self._waiting = gauge("guard_jobs", "Jobs that wait for a thread of the guard, or run.")
        self._resting = gauge("upstream_resting", "1 while an upstream is left alone.", "upstream")
        self._before: dict[str, tuple[int, float]] = {}
        self._failed = 0

    def finished(self, record: Record) -> None:
        """A request is over."""
        self._requests.labels(record.endpoint, record.outcome.value, str(record.status)).inc()
        self._seconds.labels(record.endpoint).observe(record.seconds["total"])
        if "first" in record.seconds:
            self._first.labels(record.endpoint).observe(record.seconds["first"])
        self._side(record.endpoint, "input", record.input)
        self._side(record.endpoint, "output", record.output)
        for direction, tokens in record.tokens.items():
            self._tokens.labels(direction).inc(tokens)

    def asked(self, upstream: str, outcome: str) -> None:
        """An upstream was asked."""
        self._upstreams.labels(upstream, outcome).inc()

    def reloaded(self, result: str) -> None:
        """A configuration was read."""
        self._reloads.labels(result).inc()

    def refresh(self, gateway: Gateway) -> None:
        """Bring up to date what is counted elsewhere."""
        self._running.set(gateway.in_flight)
        self._waiting.set(gateway.pool.waiting)
        for upstream in gateway.running.upstreams.all:
            self._resting.labels(upstream.name).set(upstream.breaker.open)
        for layer, snapshot in gateway.running.guard.timings().items():
            count, total = self._before.get(layer, (0, 0.0))
            if snapshot.count < count:  # another guard is in force
                count, total = 0, 0.0
            self._looks.labels(layer).inc(snapshot.count - count)
            self._layers.labels(layer).inc(max(0.0, snapshot.total - total))
            self._before[layer] = (snapshot.count, snapshot.total)
        self._unwritten.inc(gateway.audit.failed - self._failed)
        self._failed = gateway.audit.failed

    def text(self) -> bytes:
        """All of it in Prometheus' text format, of all workers."""
        if SHARED_COUNTERS not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _side(self, endpoint: str, direction: str, side: SideRecord) -> None:
        if not side.scanned and not side.incomplete and not side.skipped:
            return
        self._guard.labels(endpoint, direction).observe(side.seconds)
        self._actions.labels(direction, side.action.value).inc()
        states = {"scanned": side.scanned, "incomplete": side.incomplete, "skipped": len(side.skipped)}
        for state, count in states.items():
            self._texts.labels(direction, state).inc(count)
        for text in side.texts:
            for seen in text.detections:
                self._detections.labels(direction, seen.rule).inc()
