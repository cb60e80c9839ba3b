"""Watches portfolios: `monitor.observe` takes a state and an event, and returns the next state and signals.

It is a pure function: no clock, no storage. Every event carries its time, so that the same events give the same signals
and the same bytes of the state (`codec`). A signal says what was noticed; it never trades.

Begin with `events` (what happens), `signals` (what is noticed) and `rules` (when). `alarms` decides when a figure
that passes its threshold becomes a signal: debounced, with hysteresis and a cooldown, many rows at once. `positions`,
`levels` and `instruments` are what is known of holdings, values and assets; `mandate` says what is recomputed.

A price event is exact at once for what it touches: values, weights, drawdowns, moves, ages and spreads of the assets it
names and of the portfolios that hold them. Measures of risk and the volatility regime are deferred: see `deferred`.
"""
