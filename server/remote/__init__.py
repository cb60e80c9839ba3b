"""Calls of services outside over gRPC, where the server is the client.

`channels` says how connections are made, `services` calls from the event loop.
"""
