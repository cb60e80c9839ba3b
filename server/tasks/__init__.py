"""What happens in worker processes: the bytes of a request in, the bytes of an answer out.

Each task is a pure function of a request and of what the store had of it (`server.commands.stored`), so nothing whose
cost depends on a request runs in the server process itself, a task can be killed at its deadline, and one whose process
dies can simply run again. Begin with `optimize`. `libraries` is what worker processes load before they take work.
"""
