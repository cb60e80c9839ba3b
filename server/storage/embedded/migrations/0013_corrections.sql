-- Days of prices and corporate actions that have another value than before, in the order in which they were corrected. They
-- stay as long as the prices: what a result has used is compared with them whenever it is read.
CREATE TABLE corrections (
  number    INTEGER PRIMARY KEY AUTOINCREMENT,
  micros    INTEGER NOT NULL,
  symbol    TEXT NOT NULL,
  field     TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  last_day  INTEGER NOT NULL
) STRICT;
CREATE INDEX corrections_by_symbol ON corrections (symbol, field, number, first_day, last_day, micros);

-- Number of the last correction before the data of a result was read; NULL where it has used nothing stored, or was stored
-- by a version that did not keep what it used.
ALTER TABLE optimizations ADD COLUMN last_correction INTEGER;
ALTER TABLE reallocations ADD COLUMN last_correction INTEGER;
ALTER TABLE backtests ADD COLUMN last_correction INTEGER;

-- What a result has used.
CREATE TABLE optimizations_used (
  result    INTEGER NOT NULL REFERENCES optimizations (key) ON DELETE CASCADE,
  symbol    TEXT NOT NULL,
  field     TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  last_day  INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX optimizations_used_by_symbol ON optimizations_used (symbol, field, last_day);
CREATE TABLE reallocations_used (
  result    INTEGER NOT NULL REFERENCES reallocations (key) ON DELETE CASCADE,
  symbol    TEXT NOT NULL,
  field     TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  last_day  INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX reallocations_used_by_symbol ON reallocations_used (symbol, field, last_day);
CREATE TABLE backtests_used (
  result    INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  symbol    TEXT NOT NULL,
  field     TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  last_day  INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX backtests_used_by_symbol ON backtests_used (symbol, field, last_day);
