-- Where the data of an import comes from, in its caller's words.
ALTER TABLE imports ADD COLUMN source TEXT NOT NULL DEFAULT '';
