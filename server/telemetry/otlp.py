"""Figures sent to a collector of OpenTelemetry, by OTLP over HTTP."""

import os
import threading
import time

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from server.observability import logger
from server.telemetry.figures import SECONDS, Durations, Figures, Reading

CUMULATIVE = AggregationTemporality.CUMULATIVE

DEFAULT_INTERVAL_MS = 60_000.0
"""Of OpenTelemetry's specification, as the variables that are read here."""

LAST_SECONDS = 2.0
"""How long the end of a server waits for what is still to be sent."""


class Sender:
    """Sends all figures from time to time, in a thread of its own. A collector that is away is no concern of calls."""

    def __init__(self, endpoint: str, figures: Figures, version: str) -> None:
        self._figures = figures
        self._exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics")
        name = os.environ.get("OTEL_SERVICE_NAME") or "abs-finance"
        self._resource = Resource.create({"service.name": name, "service.version": version})
        self._scope = InstrumentationScope("absfinance", version)
        self._every = _interval_seconds()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends what is left, if the collector takes it soon."""
        self._stop.set()
        self._thread.join(LAST_SECONDS)
        self._exporter.shutdown()

    def _run(self) -> None:
        reachable = True
        while not self._stop.wait(self._every):
            reachable = self._send(reachable)
        self._send(reachable)

    def _send(self, was_reachable: bool) -> bool:
        try:
            reachable = self._exporter.export(self._data()) is MetricExportResult.SUCCESS
        except Exception:
            logger.exception("figures could not be sent")
            return False
        if reachable != was_reachable:
            logger.warning("figures are sent again" if reachable else "the collector of figures cannot be reached")
        return reachable

    def _data(self) -> MetricsData:
        now = time.time_ns()
        start = self._figures.started_ns
        metrics = [
            *(_histogram(one, start, now) for one in self._figures.all_durations),
            *(_read(one, start, now) for one in self._figures.readings),
        ]
        return MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(self._scope, metrics, "")], "")])


def _interval_seconds() -> float:
    try:
        given = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", ""))
    except ValueError:
        given = DEFAULT_INTERVAL_MS
    return max(given, 100.0) / 1e3


def _histogram(durations: Durations, start: int, now: int) -> Metric:
    points = [
        HistogramDataPoint(
            attributes=labels,
            start_time_unix_nano=start,
            time_unix_nano=now,
            count=sum(classes.counts),
            sum=classes.sum,
            bucket_counts=classes.counts,
            explicit_bounds=SECONDS,
            min=None,  # type: ignore[arg-type]  # neither is kept, and both are optional on the wire
            max=None,  # type: ignore[arg-type]
        )
        for labels, classes in durations.read()
    ]
    return Metric(durations.name, durations.description, "s", Histogram(points, CUMULATIVE))


def _read(reading: Reading, start: int, now: int) -> Metric:
    points = [
        NumberDataPoint(
            attributes=labels,
            start_time_unix_nano=start if reading.only_grows else 0,
            time_unix_nano=now,
            value=value,
        )
        for value, labels in reading.read()
    ]
    data = Sum(points, CUMULATIVE, is_monotonic=True) if reading.only_grows else Gauge(points)
    return Metric(reading.name, reading.description, reading.unit, data)
