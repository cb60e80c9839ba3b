"""One file for each service: load, run, save. Workers give answers as bytes; no message of the wire is read here."""
