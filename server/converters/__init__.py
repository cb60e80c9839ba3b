"""Messages to domain objects and back. Pure: no I/O, no state; every complaint carries the path of its field."""
