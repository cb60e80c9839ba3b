-- The payload is the portfolio as a converter writes it; the revision counts its changes.
CREATE TABLE portfolios (
  id             TEXT PRIMARY KEY,
  request_id     TEXT UNIQUE,
  body           BLOB NOT NULL,
  payload        BLOB NOT NULL,
  revision       INTEGER NOT NULL,
  created_micros INTEGER NOT NULL,
  updated_micros INTEGER NOT NULL
) STRICT;

-- What an answer is about, such as a portfolio; empty for nothing of its own.
ALTER TABLE optimizations ADD COLUMN subject TEXT NOT NULL DEFAULT '';

CREATE TABLE reallocations (
  sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT UNIQUE,
  body              BLOB NOT NULL,
  payload           BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX reallocations_by_subject ON reallocations (subject, sequence);
