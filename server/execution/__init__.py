"""Where work runs: on the event loop, in a thread, in a process of a pool."""
