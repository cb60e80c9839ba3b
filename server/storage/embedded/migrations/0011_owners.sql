-- Whose things are: the id of the principal that made them, and 'local' for what was stored before there were any. Ids and
-- request ids are unique for each owner alone; `key` tells rows of all owners apart, and is what other tables refer to.
CREATE TABLE portfolios_new (
  key            INTEGER PRIMARY KEY AUTOINCREMENT,
  owner          TEXT NOT NULL,
  id             TEXT NOT NULL,
  request_id     TEXT,
  revision       INTEGER NOT NULL,
  created_micros INTEGER NOT NULL,
  updated_micros INTEGER NOT NULL,
  body           BLOB NOT NULL,
  payload        BLOB NOT NULL,
  UNIQUE (owner, id),
  UNIQUE (owner, request_id)
) STRICT;
INSERT INTO portfolios_new (owner, id, request_id, revision, created_micros, updated_micros, body, payload)
  SELECT 'local', id, request_id, revision, created_micros, updated_micros, body, payload
  FROM portfolios ORDER BY created_micros, id;

CREATE TABLE fills_new (
  portfolio_key   INTEGER NOT NULL REFERENCES portfolios (key) ON DELETE CASCADE,
  fill_id         TEXT NOT NULL,
  symbol          TEXT NOT NULL,
  day             INTEGER NOT NULL,
  reallocation_id TEXT NOT NULL,
  is_open         INTEGER NOT NULL,
  content         BLOB NOT NULL,
  outcome         BLOB NOT NULL,
  PRIMARY KEY (portfolio_key, fill_id)
) STRICT;
INSERT INTO fills_new (portfolio_key, fill_id, symbol, day, reallocation_id, is_open, content, outcome)
  SELECT p.key, f.fill_id, f.symbol, f.day, f.reallocation_id, f.is_open, f.content, f.outcome
  FROM fills f JOIN portfolios_new p ON p.id = f.portfolio_id ORDER BY f.rowid;

CREATE TABLE disallowed_losses_new (
  portfolio_key INTEGER NOT NULL,
  fill_id       TEXT NOT NULL,
  sold_fill_id  TEXT NOT NULL,
  PRIMARY KEY (portfolio_key, fill_id, sold_fill_id),
  FOREIGN KEY (portfolio_key, fill_id) REFERENCES fills (portfolio_key, fill_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO disallowed_losses_new
  SELECT p.key, d.fill_id, d.sold_fill_id FROM disallowed_losses d JOIN portfolios_new p ON p.id = d.portfolio_id;

DROP TABLE disallowed_losses;
DROP TABLE fills;
DROP TABLE portfolios;
ALTER TABLE portfolios_new RENAME TO portfolios;
ALTER TABLE fills_new RENAME TO fills;
ALTER TABLE disallowed_losses_new RENAME TO disallowed_losses;
CREATE INDEX fills_by_symbol ON fills (portfolio_key, symbol, day);
CREATE INDEX fills_by_reallocation ON fills (reallocation_id, portfolio_key) WHERE reallocation_id <> '';
CREATE INDEX fills_open ON fills (portfolio_key, symbol) WHERE is_open;

-- Answers: lists are by time and id, which tell an owner nothing of what others store, as numbers of rows would.
CREATE TABLE optimizations_new (
  key               INTEGER PRIMARY KEY AUTOINCREMENT,
  owner             TEXT NOT NULL,
  id                TEXT NOT NULL,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT,
  body              BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT '',
  label             TEXT NOT NULL DEFAULT '',
  summary           BLOB NOT NULL DEFAULT x'',
  payload           BLOB NOT NULL,
  UNIQUE (owner, id),
  UNIQUE (owner, request_id)
) STRICT;
INSERT INTO optimizations_new
  (key, owner, id, created_micros, request_id, body, input_fingerprint, subject, label, summary, payload)
  SELECT sequence, 'local', id, created_micros, request_id, body, input_fingerprint, subject, label, summary, payload
  FROM optimizations;
DROP TABLE optimizations;
ALTER TABLE optimizations_new RENAME TO optimizations;
CREATE INDEX optimizations_by_owner ON optimizations (owner, created_micros, id);
CREATE INDEX optimizations_by_subject ON optimizations (owner, subject, created_micros, id);
CREATE INDEX optimizations_by_label ON optimizations (owner, label, created_micros, id);
CREATE INDEX optimizations_by_time ON optimizations (created_micros, id);

CREATE TABLE reallocations_new (
  key               INTEGER PRIMARY KEY AUTOINCREMENT,
  owner             TEXT NOT NULL,
  id                TEXT NOT NULL,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT,
  body              BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT '',
  label             TEXT NOT NULL DEFAULT '',
  superseded_micros INTEGER,
  superseded_by     TEXT NOT NULL DEFAULT '',
  fills             TEXT NOT NULL DEFAULT '',
  summary           BLOB NOT NULL DEFAULT x'',
  payload           BLOB NOT NULL,
  UNIQUE (owner, id),
  UNIQUE (owner, request_id)
) STRICT;
INSERT INTO reallocations_new
  (key, owner, id, created_micros, request_id, body, input_fingerprint, subject, label, superseded_micros,
   superseded_by, fills, summary, payload)
  SELECT sequence, 'local', id, created_micros, request_id, body, input_fingerprint, subject, label, superseded_micros,
   superseded_by, fills, summary, payload
  FROM reallocations;
DROP TABLE reallocations;
ALTER TABLE reallocations_new RENAME TO reallocations;
CREATE INDEX reallocations_by_owner ON reallocations (owner, created_micros, id);
CREATE INDEX reallocations_by_subject ON reallocations (owner, subject, created_micros, id);
CREATE INDEX reallocations_by_label ON reallocations (owner, label, created_micros, id);
CREATE INDEX reallocations_by_time ON reallocations (created_micros, id);
CREATE INDEX reallocations_open ON reallocations (owner, subject) WHERE superseded_micros IS NULL AND fills <> 'ALL';

-- Jobs, and what hangs on them. `caller` is who shares the workers with others, which was called the owner before.
CREATE TABLE backtests_new (
  key             INTEGER PRIMARY KEY AUTOINCREMENT,
  owner           TEXT NOT NULL,
  id              TEXT NOT NULL,
  request_id      TEXT,
  body            BLOB NOT NULL,
  label           TEXT NOT NULL,
  caller          TEXT NOT NULL DEFAULT '',
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
  result          BLOB,
  UNIQUE (owner, id),
  UNIQUE (owner, request_id)
) STRICT;
INSERT INTO backtests_new
  (key, owner, id, request_id, body, label, caller, state, cost_estimate, run_micros, counted_micros, queued_micros,
   yielded, attempt, crashes, worker, lease_micros, fraction, day, wealth, stage, epoch, last_event, dropped_event,
   created_micros, finished_micros, fingerprint, inputs, request, error, result)
  SELECT sequence, 'local', id, request_id, body, label, owner, state, cost_estimate, run_micros, counted_micros,
    queued_micros, yielded, attempt, crashes, worker, lease_micros, fraction, day, wealth, stage, epoch, last_event,
    dropped_event, created_micros, finished_micros, fingerprint, inputs, request, error, result
  FROM backtests;

CREATE TABLE backtest_checkpoints_new (
  backtest_key INTEGER PRIMARY KEY REFERENCES backtests (key) ON DELETE CASCADE,
  data         BLOB NOT NULL
) STRICT;
INSERT INTO backtest_checkpoints_new
  SELECT b.key, c.data FROM backtest_checkpoints c JOIN backtests_new b ON b.id = c.backtest_id;
DROP TABLE backtest_checkpoints;

CREATE TABLE backtest_parts_new (
  backtest_key INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  number       INTEGER NOT NULL,
  data         BLOB NOT NULL,
  PRIMARY KEY (backtest_key, number)
) STRICT;
INSERT INTO backtest_parts_new
  SELECT b.key, p.number, p.data FROM backtest_parts p JOIN backtests_new b ON b.id = p.backtest_id;
DROP TABLE backtest_parts;

CREATE TABLE backtest_series_new (
  backtest_key INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  label        TEXT NOT NULL,
  data         BLOB NOT NULL,
  PRIMARY KEY (backtest_key, position)
) STRICT;
INSERT INTO backtest_series_new
  SELECT b.key, s.position, s.label, s.data FROM backtest_series s JOIN backtests_new b ON b.id = s.backtest_id;
DROP TABLE backtest_series;

CREATE TABLE backtest_events_new (
  backtest_key INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  number       INTEGER NOT NULL,
  micros       INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  day          INTEGER,
  reason       TEXT NOT NULL DEFAULT '',
  message      TEXT NOT NULL DEFAULT '',
  stage        TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (backtest_key, number)
) STRICT, WITHOUT ROWID;
INSERT INTO backtest_events_new
  SELECT b.key, e.number, e.micros, e.kind, e.day, e.reason, e.message, e.stage
  FROM backtest_events e JOIN backtests_new b ON b.id = e.backtest_id;
DROP TABLE backtest_events;

CREATE TABLE backtest_decisions_new (
  backtest_key INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  path         TEXT NOT NULL,
  day          INTEGER NOT NULL,
  weights      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  message      TEXT NOT NULL,
  PRIMARY KEY (backtest_key, path, day)
) STRICT, WITHOUT ROWID;
INSERT INTO backtest_decisions_new
  SELECT b.key, d.path, d.day, d.weights, d.reason, d.message
  FROM backtest_decisions d JOIN backtests_new b ON b.id = d.backtest_id;
DROP TABLE backtest_decisions;

CREATE TABLE backtest_input_uses_new (
  backtest_key INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  fingerprint  TEXT NOT NULL REFERENCES backtest_inputs (fingerprint),
  PRIMARY KEY (backtest_key, fingerprint)
) STRICT, WITHOUT ROWID;
INSERT INTO backtest_input_uses_new
  SELECT b.key, u.fingerprint FROM backtest_input_uses u JOIN backtests_new b ON b.id = u.backtest_id;
DROP TABLE backtest_input_uses;

DROP TABLE backtests;
ALTER TABLE backtests_new RENAME TO backtests;
ALTER TABLE backtest_checkpoints_new RENAME TO backtest_checkpoints;
ALTER TABLE backtest_parts_new RENAME TO backtest_parts;
ALTER TABLE backtest_series_new RENAME TO backtest_series;
ALTER TABLE backtest_events_new RENAME TO backtest_events;
ALTER TABLE backtest_decisions_new RENAME TO backtest_decisions;
ALTER TABLE backtest_input_uses_new RENAME TO backtest_input_uses;
CREATE INDEX backtest_input_uses_by_fingerprint ON backtest_input_uses (fingerprint);
CREATE INDEX backtests_running ON backtests (key) WHERE state = 'RUNNING';
CREATE INDEX backtests_queued ON backtests (caller, queued_micros, cost_estimate, run_micros, fraction, key)
  WHERE state = 'QUEUED';
CREATE INDEX backtests_by_owner ON backtests (owner, created_micros, id);
CREATE INDEX backtests_by_state ON backtests (owner, state, created_micros, id);
CREATE INDEX backtests_by_label ON backtests (owner, label, created_micros, id);
CREATE INDEX backtests_by_time ON backtests (created_micros, id);
CREATE INDEX backtests_finished ON backtests (finished_micros) WHERE finished_micros IS NOT NULL;
