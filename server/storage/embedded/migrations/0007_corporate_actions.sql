-- Corporate actions. The kind is SPLIT, CASH_DIVIDEND or DELISTING; the amount is the ratio of a split, the money of a
-- dividend for one unit, or the return of a delisting, null where the policy of a backtest decides. Days count from
-- 1970-01-01.
CREATE TABLE corporate_actions (
  symbol  TEXT NOT NULL,
  day     INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  amount  REAL,
  pay_day INTEGER,
  PRIMARY KEY (symbol, day, kind)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX corporate_actions_delistings ON corporate_actions (symbol) WHERE kind = 'DELISTING';
