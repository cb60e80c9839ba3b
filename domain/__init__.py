"""The engine: numpy in, numpy out. No I/O, no clock, no gRPC, no protobuf, no pandas at its borders.

Begin with a flow, which reads as a specification: `risk.flow`, `backtest.flow`, `reallocation.flow`, or
`optimization.solve`. Below them are, from the bottom up: errors, checks, calendar, portfolio, market_data, estimation,
costs and risk, optimization. Each layer imports only from the ones before it; `tests/architecture` checks the order.
"""
