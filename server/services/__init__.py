"""One file for each service: load, run, save. Domain objects in and out; no message of the wire comes here."""
