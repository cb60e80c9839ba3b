"""Loads the compiled simulation where it is kept on disk; a worker that runs the first backtest compiles it otherwise.

It is imported by the process that workers are forked from, which must not be kept busy by a compilation.
"""

from domain.backtest.precompile import is_compiled, load

if is_compiled():
    load()
