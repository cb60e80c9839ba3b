-- Trials of sweeps by the data that they ran on. A row stays when its sweep is deleted: what was tried was tried. The sums
-- are over the Sharpe ratios per period of the trials that had one.
CREATE TABLE tried_trials (
  key            INTEGER PRIMARY KEY AUTOINCREMENT,
  owner          TEXT NOT NULL,
  data           TEXT NOT NULL,
  epoch          TEXT NOT NULL,
  trials         INTEGER NOT NULL,
  sharpe_count   INTEGER NOT NULL DEFAULT 0,
  sharpe_sum     REAL NOT NULL DEFAULT 0.0,
  sharpe_squares REAL NOT NULL DEFAULT 0.0,
  UNIQUE (owner, data, epoch)
) STRICT;
CREATE INDEX tried_trials_by_sweep ON tried_trials (owner, epoch);
