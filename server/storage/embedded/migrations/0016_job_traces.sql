-- The traceparent of the call that made a job, which whoever runs it links to. A table of its own: a new column of the job
-- would lie after its result.
CREATE TABLE backtest_traces (
  backtest_key INTEGER PRIMARY KEY REFERENCES backtests (key) ON DELETE CASCADE,
  traceparent  TEXT NOT NULL
) STRICT;
