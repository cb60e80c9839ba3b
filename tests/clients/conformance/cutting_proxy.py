"""A proxy on loopback that cuts connections to a server in the middle of what it sends."""

import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LEAST_BYTES, MOST_BYTES = 600, 2500
"""A connection is cut after so many bytes of the server, chosen at random: a few messages."""

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER that resets a connection when it is closed."""


class CuttingProxy:
    """Forwards connections to `target`, and resets the first `cuts` of them."""

    def __init__(self, target: str, cuts: int, seed: int) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._random = random.Random(seed)
        self._left = cuts
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no further connection."""
        _close(self._listener)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                near = self._listener.accept()[0]
                try:
                    far = socket.create_connection(self._target, timeout=30.0)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                threading.Thread(target=_forward, args=(near, far), daemon=True).start()
                threading.Thread(target=self._answer, args=(far, near), daemon=True).start()

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        """Forwards what the server sends until the connection is to be cut."""
        most = self._budget()
        sent = 0
        with suppress(OSError):
            while piece := far.recv(65536):
                room = len(piece) if most is None else most - sent
                near.sendall(piece[:room])
                sent += len(piece)
                if most is not None and sent >= most:
                    self._cut(near, far)
                    return
        _close(near, far)

    def _budget(self) -> int | None:
        """Bytes after which the next connection is cut; None for never."""
        with self._lock:
            if not self._left:
                return None
            self._left -= 1
            return self._random.randint(LEAST_BYTES, MOST_BYTES)

    def _cut(self, *ends: socket.socket) -> None:
        with self._lock:
            self.cut_count += 1
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        _close(*ends)


def _forward(near: socket.socket, far: socket.socket) -> None:
    with suppress(OSError):
        while piece := near.recv(65536):
            far.sendall(piece)
    _close(far, near)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
        end.close()


@contextmanager
def cutting_proxy(target: str, cuts: int, seed: int) -> Iterator[CuttingProxy]:
    """A proxy that ends with the block."""
    proxy = CuttingProxy(target, cuts, seed)
    try:
        yield proxy
    finally:
        proxy.close()
