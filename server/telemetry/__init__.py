"""Figures of a server, by the names of OpenTelemetry: begin at `figures.py`, which needs no library.

They are read by Prometheus (`prometheus.py`) and sent to a collector (`otlp.py`), with the libraries of the extra
`telemetry`. They are counted here and not by the SDK of OpenTelemetry, where adding a duration takes ten times as long.
"""
