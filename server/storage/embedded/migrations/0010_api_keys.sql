-- Keys that callers authenticate with. `hash` is keyed by a secret that is not in the database. A key that is revoked
-- stays, so that its id is never taken again. `roles` has their numbers, with commas between them.
CREATE TABLE api_keys (
  id             TEXT PRIMARY KEY,
  caller         TEXT NOT NULL,
  display_name   TEXT NOT NULL,
  roles          TEXT NOT NULL,
  hash           BLOB NOT NULL,
  created_micros INTEGER NOT NULL,
  expires_micros INTEGER,
  revoked_micros INTEGER
) STRICT, WITHOUT ROWID;
