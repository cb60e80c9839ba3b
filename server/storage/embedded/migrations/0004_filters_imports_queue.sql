-- Answers again, with what a list shows first and the payload last: SQLite reads a row from its beginning, so that
-- listing need not read payloads. An empty summary means that the payload must be read.
CREATE TABLE optimizations_new (
  sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT UNIQUE,
  body              BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT '',
  label             TEXT NOT NULL DEFAULT '',
  summary           BLOB NOT NULL DEFAULT x'',
  payload           BLOB NOT NULL
) STRICT;
INSERT INTO optimizations_new (sequence, id, created_micros, request_id, body, input_fingerprint, subject, payload)
  SELECT sequence, id, created_micros, request_id, body, input_fingerprint, subject, payload FROM optimizations;
DROP TABLE optimizations;
ALTER TABLE optimizations_new RENAME TO optimizations;
CREATE INDEX optimizations_by_subject ON optimizations (subject, sequence);
CREATE INDEX optimizations_by_label ON optimizations (label, sequence);
CREATE INDEX optimizations_by_time ON optimizations (created_micros);

CREATE TABLE reallocations_new (
  sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT UNIQUE,
  body              BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT '',
  label             TEXT NOT NULL DEFAULT '',
  summary           BLOB NOT NULL DEFAULT x'',
  payload           BLOB NOT NULL
) STRICT;
INSERT INTO reallocations_new (sequence, id, created_micros, request_id, body, input_fingerprint, subject, payload)
  SELECT sequence, id, created_micros, request_id, body, input_fingerprint, subject, payload FROM reallocations;
DROP TABLE reallocations;
ALTER TABLE reallocations_new RENAME TO reallocations;
CREATE INDEX reallocations_by_subject ON reallocations (subject, sequence);
CREATE INDEX reallocations_by_label ON reallocations (label, sequence);
CREATE INDEX reallocations_by_time ON reallocations (created_micros);

-- Jobs again, large columns last for the same reason. cost_estimate is in seconds, 0 where nobody knows; run_micros is
-- the time the job has run in all attempts, counted up to counted_micros; stage is [label, index, count] as JSON; queued_micros is when it began to
-- wait, and yielded says that it waits because it made room for others.
CREATE TABLE backtests_new (
  sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
  id              TEXT NOT NULL UNIQUE,
  request_id      TEXT UNIQUE,
  body            BLOB NOT NULL,
  label           TEXT NOT NULL,
  owner           TEXT NOT NULL DEFAULT '',
  state           TEXT NOT NULL,
  cost_estimate   REAL NOT NULL DEFAULT 0,
  run_micros      INTEGER NOT NULL DEFAULT 0,
  counted_micros  INTEGER,
  queued_micros   INTEGER NOT NULL,
  yielded         INTEGER NOT NULL DEFAULT 0,
  attempt         INTEGER NOT NULL DEFAULT 0,
  crashes         INTEGER NOT NULL DEFAULT 0,
  worker          TEXT,
  lease_micros    INTEGER,
  fraction        REAL NOT NULL DEFAULT 0,
  day             INTEGER,
  wealth          REAL,
  stage           TEXT NOT NULL DEFAULT '',
  epoch           TEXT NOT NULL,
  last_event      INTEGER NOT NULL DEFAULT 0,
  dropped_event   INTEGER NOT NULL DEFAULT 0,
  created_micros  INTEGER NOT NULL,
  finished_micros INTEGER,
  fingerprint     TEXT NOT NULL,
  inputs          TEXT NOT NULL,
  request         BLOB NOT NULL,
  error           BLOB,
  result          BLOB
) STRICT;
INSERT INTO backtests_new
  (sequence, id, request_id, body, label, state, queued_micros, attempt, crashes, worker, lease_micros, fraction, day,
   wealth, epoch, last_event, dropped_event, created_micros, finished_micros, fingerprint, inputs, request, error, result)
  SELECT sequence, id, request_id, body, label, state, created_micros, attempt, crashes, worker, lease_micros, fraction,
    day, wealth, epoch, last_event, dropped_event, created_micros, finished_micros, fingerprint, inputs, request, error,
    result FROM backtests;
DROP TABLE backtests;
ALTER TABLE backtests_new RENAME TO backtests;
CREATE INDEX backtests_running ON backtests (id) WHERE state = 'RUNNING';
CREATE INDEX backtests_queued ON backtests (owner, queued_micros, cost_estimate, run_micros, fraction, id)
  WHERE state = 'QUEUED';
CREATE INDEX backtests_by_state ON backtests (state, sequence);
CREATE INDEX backtests_by_label ON backtests (label, sequence);
CREATE INDEX backtests_by_time ON backtests (created_micros);
CREATE INDEX backtests_finished ON backtests (finished_micros) WHERE finished_micros IS NOT NULL;

-- What an event is about, as the stage of a job.
ALTER TABLE backtest_events ADD COLUMN stage TEXT NOT NULL DEFAULT '';

-- Which data a job has, so that data goes with its last job.
CREATE TABLE backtest_input_uses (
  backtest_id TEXT NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL REFERENCES backtest_inputs (fingerprint),
  PRIMARY KEY (backtest_id, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX backtest_input_uses_by_fingerprint ON backtest_input_uses (fingerprint);
INSERT INTO backtest_input_uses
  SELECT id, json_extract(inputs, '$[0]') FROM backtests
  UNION SELECT b.id, named.value FROM backtests b, json_each(b.inputs, '$[2]') named;

-- Prices again: a chunk belongs to the import that wrote it, and of several imports the latest that is not open counts.
CREATE TABLE price_chunks_new (
  symbol TEXT NOT NULL,
  field  TEXT NOT NULL,
  year   INTEGER NOT NULL,
  import INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  data   BLOB NOT NULL,
  PRIMARY KEY (symbol, field, year, import)
) STRICT;
INSERT INTO price_chunks_new SELECT symbol, field, year, 0, sha256, data FROM price_chunks;
DROP TABLE price_chunks;
ALTER TABLE price_chunks_new RENAME TO price_chunks;
CREATE INDEX price_chunks_by_import ON price_chunks (import);

-- An import under way: the worker that has it, when it was last heard of, and the number of its chunks once it merges.
CREATE TABLE import_sessions (
  session        TEXT PRIMARY KEY,
  worker         TEXT NOT NULL,
  touched_micros INTEGER NOT NULL,
  number         INTEGER UNIQUE
) STRICT;

-- What has come of it, by symbol, in its order.
CREATE TABLE import_parts (
  session TEXT NOT NULL,
  symbol  TEXT NOT NULL,
  part    INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (session, symbol, part)
) STRICT;

-- Numbers that were given out, and whether older chunks that a finished import replaces are still there.
CREATE TABLE import_numbers (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  finished INTEGER NOT NULL DEFAULT 0,
  cleaned  INTEGER NOT NULL DEFAULT 0
) STRICT;
