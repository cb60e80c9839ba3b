"""The engine: numpy in, numpy out. No I/O, no clock, no gRPC, no protobuf, no pandas at its borders.

Read it from the right: errors, checks, calendar, portfolio, market_data, estimation, costs and risk, optimization.
Each layer imports only from the ones before it; `tests/architecture` holds the order.
"""
