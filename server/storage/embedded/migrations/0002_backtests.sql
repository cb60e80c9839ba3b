-- Data that backtests run on, each once whatever the number of jobs: int32 days, then float64 values row by row,
-- little-endian. Every attempt of a job reads these bytes, whatever is imported meanwhile.
CREATE TABLE backtest_inputs (
  fingerprint TEXT PRIMARY KEY,
  symbols     TEXT NOT NULL,
  data        BLOB NOT NULL
) STRICT;

-- A job. It belongs to the worker that claimed it until lease_micros; attempt fences off those that claimed it before.
CREATE TABLE backtests (
  sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  request_id     TEXT UNIQUE,
  body           BLOB NOT NULL,
  request        BLOB NOT NULL,
  inputs         TEXT NOT NULL,
  label          TEXT NOT NULL,
  epoch          TEXT NOT NULL,
  state          TEXT NOT NULL,
  attempt        INTEGER NOT NULL DEFAULT 0,
  crashes        INTEGER NOT NULL DEFAULT 0,
  worker         TEXT,
  lease_micros   INTEGER,
  fraction       REAL NOT NULL DEFAULT 0,
  day            INTEGER,
  wealth         REAL,
  last_event     INTEGER NOT NULL DEFAULT 0,
  dropped_event  INTEGER NOT NULL DEFAULT 0,
  created_micros INTEGER NOT NULL,
  finished_micros INTEGER,
  fingerprint    TEXT NOT NULL,
  result         BLOB,
  error          BLOB
) STRICT;

CREATE INDEX backtests_open ON backtests (sequence) WHERE state IN ('QUEUED', 'RUNNING');

-- Where a running job stands, and the parts of its output up to there.
CREATE TABLE backtest_checkpoints (
  backtest_id TEXT PRIMARY KEY REFERENCES backtests (id) ON DELETE CASCADE,
  data        BLOB NOT NULL
) STRICT;

CREATE TABLE backtest_parts (
  backtest_id TEXT NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
  number      INTEGER NOT NULL,
  data        BLOB NOT NULL,
  PRIMARY KEY (backtest_id, number)
) STRICT;

-- The record of each strategy of a finished job.
CREATE TABLE backtest_series (
  backtest_id TEXT NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  label       TEXT NOT NULL,
  data        BLOB NOT NULL,
  PRIMARY KEY (backtest_id, position)
) STRICT;

-- What happened to a job, for those who follow it. Numbers count from 1 and are never used twice.
CREATE TABLE backtest_events (
  backtest_id TEXT NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
  number      INTEGER NOT NULL,
  micros      INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  day         INTEGER,
  reason      TEXT NOT NULL DEFAULT '',
  message     TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (backtest_id, number)
) STRICT, WITHOUT ROWID;
