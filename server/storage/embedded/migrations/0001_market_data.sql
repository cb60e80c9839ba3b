-- Prices of one symbol, field and year: int32 days since 1970-01-01, then float64 values, both little-endian.
CREATE TABLE price_chunks (
  symbol   TEXT NOT NULL,
  field    TEXT NOT NULL,
  year     INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  sha256   BLOB NOT NULL,
  data     BLOB NOT NULL,
  PRIMARY KEY (symbol, field, year)
) STRICT;

-- Imports that are done, so that one sent again changes nothing.
CREATE TABLE imports (
  import_id TEXT PRIMARY KEY,
  body      BLOB NOT NULL,
  receipt   TEXT NOT NULL
) STRICT;

CREATE TABLE instruments (
  symbol       TEXT PRIMARY KEY,
  display_name TEXT NOT NULL DEFAULT '',
  currency     TEXT NOT NULL DEFAULT '',
  groups       TEXT NOT NULL DEFAULT '{}',
  lot_size     REAL,
  state        TEXT NOT NULL DEFAULT 'TRADABLE'
) STRICT;

-- The groups of instruments as "kind=name", to find members by.
CREATE TABLE instrument_labels (
  label  TEXT NOT NULL,
  symbol TEXT NOT NULL REFERENCES instruments (symbol),
  PRIMARY KEY (label, symbol)
) STRICT, WITHOUT ROWID;

-- The sequence orders answers; created_micros is when they were stored, in microseconds since 1970 UTC.
CREATE TABLE optimizations (
  sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT UNIQUE,
  body              BLOB NOT NULL,
  payload           BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL
) STRICT;

