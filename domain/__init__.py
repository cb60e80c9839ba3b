"""The engine: numpy in, numpy out. No I/O, no clock, no gRPC, no protobuf, no pandas at its borders.

Layers, lowest first: errors, checks, calendar, portfolio, market_data, estimation, costs and risk, optimization, then
backtest and reallocation. Each imports only from the ones before it; `tests/architecture` checks the order.
"""
