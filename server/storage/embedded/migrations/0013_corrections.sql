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

-- What results have used, each with the number of the last correction before it was read; nothing where a result has used
-- nothing stored, or was stored by a version that did not keep it.
CREATE TABLE optimizations_used (
  result          INTEGER NOT NULL REFERENCES optimizations (key) ON DELETE CASCADE,
  symbol          TEXT NOT NULL,
  field           TEXT NOT NULL,
  first_day       INTEGER NOT NULL,
  last_day        INTEGER NOT NULL,
  last_correction INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX optimizations_used_by_symbol ON optimizations_used (symbol, field, last_day);
CREATE TABLE reallocations_used (
  result          INTEGER NOT NULL REFERENCES reallocations (key) ON DELETE CASCADE,
  symbol          TEXT NOT NULL,
  field           TEXT NOT NULL,
  first_day       INTEGER NOT NULL,
  last_day        INTEGER NOT NULL,
  last_correction INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX reallocations_used_by_symbol ON reallocations_used (symbol, field, last_day);
CREATE TABLE backtests_used (
  result          INTEGER NOT NULL REFERENCES backtests (key) ON DELETE CASCADE,
  symbol          TEXT NOT NULL,
  field           TEXT NOT NULL,
  first_day       INTEGER NOT NULL,
  last_day        INTEGER NOT NULL,
  last_correction INTEGER NOT NULL,
  PRIMARY KEY (result, symbol, field, first_day, last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX backtests_used_by_symbol ON backtests_used (symbol, field, last_day);
