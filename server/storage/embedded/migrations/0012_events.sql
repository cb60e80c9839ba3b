-- What changed in the store, in the order in which it became visible, which is that of the cursor: there is one writer at a
-- time. Of prices there are the days and whether values were replaced, of a quote its figures. Days count from 1970-01-01.
CREATE TABLE changes (
  cursor       INTEGER PRIMARY KEY AUTOINCREMENT,
  micros       INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  owner        TEXT NOT NULL,
  name         TEXT NOT NULL,
  field        TEXT,
  first_day    INTEGER,
  last_day     INTEGER,
  replaced     INTEGER,
  quote_micros INTEGER,
  bid          REAL,
  ask          REAL,
  last         REAL
) STRICT;

-- What is noticed, by everybody's numbers. Each key of an owner is stored once.
CREATE TABLE events (
  sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
  owner      TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  type       TEXT NOT NULL,
  micros     INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  severity   INTEGER NOT NULL,
  portfolio  TEXT NOT NULL,
  symbol     TEXT NOT NULL,
  payload    BLOB NOT NULL,
  stored_micros INTEGER NOT NULL,
  UNIQUE (owner, dedupe_key)
) STRICT;
CREATE INDEX events_by_owner ON events (owner, sequence);

-- One row: what tells this log of events from any other one, and up to where changes and events were removed.
CREATE TABLE logs (
  only              INTEGER PRIMARY KEY CHECK (only = 1),
  epoch             TEXT NOT NULL,
  forgotten_changes INTEGER NOT NULL DEFAULT 0,
  forgotten_events  INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO logs (only, epoch) VALUES (1, lower(hex(randomblob(8))));

-- Signals that somebody is told. It is delivered next at next_micros, where it is to be; the worker has it until then.
CREATE TABLE notifications (
  key                 INTEGER PRIMARY KEY AUTOINCREMENT,
  owner               TEXT NOT NULL,
  id                  TEXT NOT NULL,
  created_micros      INTEGER NOT NULL,
  kind                TEXT NOT NULL,
  severity            INTEGER NOT NULL,
  portfolio           TEXT NOT NULL,
  symbol              TEXT NOT NULL,
  message             TEXT NOT NULL,
  delivery            TEXT NOT NULL,
  attempts            INTEGER NOT NULL DEFAULT 0,
  last_error          TEXT NOT NULL DEFAULT '',
  signal_sequence     INTEGER NOT NULL,
  acknowledged_micros INTEGER,
  next_micros         INTEGER,
  worker              TEXT,
  lease_micros        INTEGER,
  UNIQUE (owner, id)
) STRICT;
CREATE INDEX notifications_by_owner ON notifications (owner, created_micros, id);
CREATE INDEX notifications_by_portfolio ON notifications (owner, portfolio, created_micros, id);
CREATE INDEX notifications_by_time ON notifications (created_micros, id);
CREATE INDEX notifications_due ON notifications (next_micros) WHERE next_micros IS NOT NULL;

-- What mandates want to be done. It belongs to the worker that claimed it until lease_micros; attempt fences off those that
-- claimed it before. One that was given back waits until due_micros.
CREATE TABLE recomputations (
  key             INTEGER PRIMARY KEY AUTOINCREMENT,
  owner           TEXT NOT NULL,
  portfolio       TEXT NOT NULL,
  action          TEXT NOT NULL,
  signal_sequence INTEGER NOT NULL,
  created_micros  INTEGER NOT NULL,
  attempt         INTEGER NOT NULL DEFAULT 0,
  due_micros      INTEGER NOT NULL DEFAULT 0,
  worker          TEXT,
  lease_micros    INTEGER,
  finished_micros INTEGER
) STRICT;
CREATE INDEX recomputations_waiting ON recomputations (key) WHERE finished_micros IS NULL;
CREATE INDEX recomputations_open ON recomputations (owner, portfolio, action, key) WHERE finished_micros IS NULL;
CREATE INDEX recomputations_finished ON recomputations (finished_micros) WHERE finished_micros IS NOT NULL;

-- Why, each cause once for a portfolio and an action, also after the end.
CREATE TABLE recomputation_causes (
  recomputation INTEGER NOT NULL REFERENCES recomputations (key) ON DELETE CASCADE,
  owner         TEXT NOT NULL,
  portfolio     TEXT NOT NULL,
  action        TEXT NOT NULL,
  cause         TEXT NOT NULL,
  UNIQUE (owner, portfolio, action, cause)
) STRICT;
CREATE INDEX recomputation_causes_by_key ON recomputation_causes (recomputation);

-- One row: the server that listens to changes, its number, which fences off those before it, and where it stands.
CREATE TABLE listener (
  only         INTEGER PRIMARY KEY CHECK (only = 1),
  worker       TEXT,
  number       INTEGER NOT NULL DEFAULT 0,
  lease_micros INTEGER NOT NULL DEFAULT 0,
  cursor       TEXT NOT NULL DEFAULT '',
  state        BLOB NOT NULL DEFAULT x''
) STRICT;
INSERT INTO listener (only) VALUES (1);

-- The latest revision of each bar that was published; its figures are in price_chunks too.
CREATE TABLE bars (
  symbol   TEXT NOT NULL,
  day      INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  close    REAL NOT NULL,
  open     REAL,
  high     REAL,
  low      REAL,
  volume   REAL,
  PRIMARY KEY (symbol, day)
) STRICT, WITHOUT ROWID;

-- The latest quote of each symbol.
CREATE TABLE quotes (
  symbol TEXT PRIMARY KEY,
  micros INTEGER NOT NULL,
  bid    REAL,
  ask    REAL,
  last   REAL
) STRICT, WITHOUT ROWID;
