"""Where work runs: in worker processes that can be stopped, never on the event loop.

Begin with `process_pool`, the side of the server; `worker` is the inside of a process; `fair_queue` decides who is
served next; `template` is what workers are forked from.
"""
