"""One machine: SQLite for what is kept, memory-mapped files for what is derived from it."""
