"""What measures, and where it is read."""

import os
from typing import TYPE_CHECKING

from server.telemetry.figures import Figures
from server.telemetry_settings import TelemetrySettings

if TYPE_CHECKING:
    from server.telemetry.traces import OtlpTracer


class Telemetry:
    """The figures of a server, with what shows and sends them."""

    def __init__(self, settings: TelemetrySettings, version: str) -> None:
        """Listens already. Raises WrongSetting where the address cannot be bound."""
        self.figures = Figures()
        self._text, self._sender = None, None
        self.tracer: OtlpTracer | None = None
        # What these load takes time and memory that those who use only one of them need not spend.
        if settings.metrics_listen:
            from server.telemetry.prometheus import PrometheusText

            self._text = PrometheusText(settings.metrics_listen, self.figures)
        if settings.otlp_endpoint:
            from server.telemetry.otlp import Sender

            self._sender = Sender(settings.otlp_endpoint, self.figures, version)
            if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none":
                from server.telemetry import traces

                self.tracer = traces.OtlpTracer(settings.otlp_endpoint, version)

    @property
    def url(self) -> str:
        """Where Prometheus reads; empty where it does not."""
        return self._text.url if self._text else ""

    def close(self) -> None:
        """Sends what is left, for some seconds at most, and listens no longer."""
        if self._sender:
            self._sender.close()
        if self.tracer:
            self.tracer.close()
        if self._text:
            self._text.close()
