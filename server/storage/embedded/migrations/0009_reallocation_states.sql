-- What has become of reallocations, before the payload as what a list shows. They are superseded by a later one of the same
-- portfolio, or by a change of it: then superseded_by is empty. `fills` is 'PARTLY' or 'ALL' where trades are recorded as
-- filled.
CREATE TABLE reallocations_new (
  sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  created_micros    INTEGER NOT NULL,
  request_id        TEXT UNIQUE,
  body              BLOB NOT NULL,
  input_fingerprint TEXT NOT NULL,
  subject           TEXT NOT NULL DEFAULT '',
  label             TEXT NOT NULL DEFAULT '',
  superseded_micros INTEGER,
  superseded_by     TEXT NOT NULL DEFAULT '',
  fills             TEXT NOT NULL DEFAULT '',
  summary           BLOB NOT NULL DEFAULT x'',
  payload           BLOB NOT NULL
) STRICT;
INSERT INTO reallocations_new
  (sequence, id, created_micros, request_id, body, input_fingerprint, subject, label, summary, payload)
  SELECT sequence, id, created_micros, request_id, body, input_fingerprint, subject, label, summary, payload
  FROM reallocations;
DROP TABLE reallocations;
ALTER TABLE reallocations_new RENAME TO reallocations;
CREATE INDEX reallocations_by_subject ON reallocations (subject, sequence);
CREATE INDEX reallocations_by_label ON reallocations (label, sequence);
CREATE INDEX reallocations_by_time ON reallocations (created_micros);

UPDATE reallocations SET superseded_by = coalesce(
  (SELECT later.id FROM reallocations later
   WHERE later.subject = reallocations.subject AND later.sequence > reallocations.sequence
   ORDER BY later.sequence LIMIT 1), '')
  WHERE subject <> '';
UPDATE reallocations SET superseded_micros =
  (SELECT later.created_micros FROM reallocations later WHERE later.id = reallocations.superseded_by)
  WHERE superseded_by <> '';
-- Whether all of a plan was filled is in its payload, which is not read here.
UPDATE reallocations SET fills = 'PARTLY'
  WHERE EXISTS (SELECT 1 FROM fills f WHERE f.reallocation_id = reallocations.id);
UPDATE reallocations SET superseded_micros =
  (SELECT p.updated_micros FROM portfolios p WHERE p.id = reallocations.subject)
  WHERE subject <> '' AND superseded_micros IS NULL AND fills = '' AND EXISTS
  (SELECT 1 FROM portfolios p WHERE p.id = reallocations.subject AND p.updated_micros > reallocations.created_micros);
UPDATE reallocations SET superseded_micros = CAST(strftime('%s', 'now') AS INTEGER) * 1000000
  WHERE subject <> '' AND superseded_micros IS NULL
  AND NOT EXISTS (SELECT 1 FROM portfolios p WHERE p.id = reallocations.subject);

CREATE INDEX reallocations_open ON reallocations (subject) WHERE superseded_micros IS NULL AND fills <> 'ALL';
