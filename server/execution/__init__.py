"""Where work runs: in worker processes that can be stopped, never on the event loop.

Begin with `process_pool`, the side of the server: `worker_handle` is one of its processes, `frames` cuts what that
sends, `fair_queue` decides who is served next. `worker` is the inside of a process; `template` is what workers are
forked from.
"""
