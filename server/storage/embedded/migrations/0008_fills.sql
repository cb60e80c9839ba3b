-- Fills that are recorded. The content is the fill as it was sent, the outcome its gains as a converter writes them;
-- days count from 1970-01-01. A fill is open while a purchase may still disallow a part of its loss.
CREATE TABLE fills (
  portfolio_id    TEXT NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
  fill_id         TEXT NOT NULL,
  symbol          TEXT NOT NULL,
  day             INTEGER NOT NULL,
  reallocation_id TEXT NOT NULL,
  is_open         INTEGER NOT NULL,
  content         BLOB NOT NULL,
  outcome         BLOB NOT NULL,
  PRIMARY KEY (portfolio_id, fill_id)
) STRICT;
CREATE INDEX fills_by_symbol ON fills (portfolio_id, symbol, day);
CREATE INDEX fills_by_reallocation ON fills (reallocation_id, portfolio_id) WHERE reallocation_id <> '';
CREATE INDEX fills_open ON fills (portfolio_id, symbol) WHERE is_open;

-- Purchases that disallow a loss of a sale.
CREATE TABLE disallowed_losses (
  portfolio_id TEXT NOT NULL,
  fill_id      TEXT NOT NULL,
  sold_fill_id TEXT NOT NULL,
  PRIMARY KEY (portfolio_id, fill_id, sold_fill_id),
  FOREIGN KEY (portfolio_id, fill_id) REFERENCES fills (portfolio_id, fill_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
