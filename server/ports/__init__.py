"""What the server needs from outside, by subject: errors, records, and the stores as protocols.

Every method of a store is asynchronous: it may be a file on this machine or a database far away. `bootstrap` chooses
the implementations, which are in `server.storage`. Begin with `results`; import from the module that defines a name.
"""
