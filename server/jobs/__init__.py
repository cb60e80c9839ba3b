"""Work that outlives the call that asked for it: who runs it, where it stands, and who follows it.

A job is a row in the store. `runner` claims rows and runs them in worker processes; `backtest_run` runs a backtest
inside one of those; `progress` tells followers.
"""
