-- Who called what, and how it ended. `number` counts the events of an owner without gaps. `resource` and `reason` are empty
-- where there is none, `code` for a stream that had begun.
CREATE TABLE audit_events (
  key      INTEGER PRIMARY KEY AUTOINCREMENT,
  owner    TEXT NOT NULL,
  number   INTEGER NOT NULL,
  micros   INTEGER NOT NULL,
  caller   TEXT NOT NULL,
  method   TEXT NOT NULL,
  resource TEXT NOT NULL,
  code     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  call_id  TEXT NOT NULL,
  count    INTEGER NOT NULL,
  UNIQUE (owner, number)
) STRICT;
CREATE INDEX audit_events_by_resource ON audit_events (owner, resource, number) WHERE resource <> '';

-- The last number of each owner, which stays when their events are removed.
CREATE TABLE audit_owners (
  owner TEXT PRIMARY KEY,
  last  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: up to which key events were removed because they are old. It only grows.
CREATE TABLE audit_log (
  only    INTEGER PRIMARY KEY CHECK (only = 1),
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO audit_log (only) VALUES (1);

CREATE TRIGGER audit_events_stay_as_they_are BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events
WHEN OLD.key > (SELECT removed FROM audit_log)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_log_only_grows BEFORE UPDATE ON audit_log WHEN NEW.removed < OLD.removed
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_owners_only_grow BEFORE UPDATE ON audit_owners WHEN NEW.last <= OLD.last OR NEW.owner <> OLD.owner
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_owners_stay BEFORE DELETE ON audit_owners
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
