CREATE TABLE portfolios (
  id             TEXT PRIMARY KEY,
  request_id     TEXT UNIQUE,
  body           BLOB,
  payload        BLOB NOT NULL,
  revision       INTEGER NOT NULL DEFAULT 1,
  created_micros INTEGER NOT NULL,
  updated_micros INTEGER NOT NULL
) STRICT;

CREATE TABLE reallocations (
  sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  created_micros INTEGER NOT NULL,
  request_id     TEXT UNIQUE,
  body           BLOB NOT NULL,
  payload        BLOB NOT NULL,
  portfolio      TEXT NOT NULL DEFAULT '',
  input_fingerprint TEXT NOT NULL
) STRICT;

CREATE INDEX reallocations_of_portfolio ON reallocations (portfolio, sequence);
