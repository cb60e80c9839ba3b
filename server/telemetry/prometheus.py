"""Figures as text that Prometheus reads, on an address of its own."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from server.binding import METRICS_LISTEN
from server.settings import WrongSetting
from server.telemetry.figures import SECONDS, Durations, Figures, Reading

PATH = "/metrics"


class PrometheusText:
    """Listens, in threads of its own."""

    def __init__(self, address: str, figures: Figures) -> None:
        """Raises WrongSetting where the address cannot be bound."""
        host, _, port = address.rpartition(":")
        registry = CollectorRegistry()
        registry.register(_Collected(figures))
        try:
            self._server, self._thread = start_http_server(int(port), host.strip("[]"), registry)
        except OSError as error:
            raise WrongSetting(f"{METRICS_LISTEN} cannot be bound: {address}: {error.strerror}") from None
        self.url = f"http://{host}:{self._server.server_port}{PATH}"

    def close(self) -> None:
        """Listens no longer."""
        self._server.shutdown()
        self._server.server_close()


class _Collected(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Every figure as it is now."""
        yield from map(_histogram, self._figures.all_durations)
        yield from map(_read, self._figures.readings)


def _histogram(durations: Durations) -> Metric:
    found = durations.read()
    names = [_name(label) for label in (found[0][0] if found else ())]
    family = HistogramMetricFamily(f"{_name(durations.name)}_seconds", durations.description, labels=names)
    ends = (*(f"{end:g}" for end in SECONDS), "+Inf")
    for labels, classes in found:
        sums = accumulate(classes.counts)
        family.add_metric(list(labels.values()), list(zip(ends, sums, strict=True)), classes.sum)
    return family


def _read(reading: Reading) -> Metric:
    suffix = "_seconds" if reading.unit == "s" else ""
    found = list(reading.read())
    names = [_name(label) for label in (found[0][1] if found else ())]
    kind = CounterMetricFamily if reading.only_grows else GaugeMetricFamily
    family = kind(_name(reading.name) + suffix, reading.description, labels=names)
    for value, labels in found:
        family.add_metric(list(labels.values()), value)
    return family


def _name(name: str) -> str:
    return name.replace(".", "_")
