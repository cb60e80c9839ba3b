"""Ports of loopback for what must have the same one each time it is started."""

import random
import socket
from contextlib import closing, suppress

PORTS = range(20_000, 32_768)
"""Below those that systems give to connections: from 32768 on Linux, from 49152 elsewhere."""


def free_port() -> int:
    """A port that is free now, and that nobody is given who connects somewhere or asks for any port."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with closing(socket.socket()) as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port from {PORTS.start} to {PORTS.stop - 1} of 127.0.0.1 is free")
