"""The listener for browsers: Connect and gRPC-Web over HTTP, passed on to the gRPC server as they come.

It is a process of its own, which `process` starts beside the server and `__main__` runs. It knows the contract and the
protocols, and nothing of the server: calls go through a channel, so interceptors, limits and errors are the server's.
"""
