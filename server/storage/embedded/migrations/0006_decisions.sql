-- Decisions of services outside, by the field path of their strategy: whoever goes on with a job does not ask again.
-- A decision that failed has a reason and no weights.
CREATE TABLE backtest_decisions (
  backtest_id TEXT NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
  path        TEXT NOT NULL,
  day         INTEGER NOT NULL,
  weights     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  message     TEXT NOT NULL,
  PRIMARY KEY (backtest_id, path, day)
) STRICT, WITHOUT ROWID;
