"""A relay between callers and a server, which cuts all connections when it is told to."""

import contextlib
import select
import socket
import threading

PIECE = 1 << 16


class Relay:
    """Listens on a port of loopback and passes bytes on, both ways, in a thread for each connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """Where callers connect to."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> int:
        """Ends every connection in the middle of whatever it carries; how many there were."""
        with self._lock:
            found = list(self._open)
        for one in found:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        return len(found) // 2

    def close(self) -> None:
        """Takes no more connections, and ends those that there are."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(caller,), daemon=True).start()

    def _pass_on(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as server:
            pair = {caller: server, server: caller}
            with self._lock:
                self._open.update(pair)
            try:
                while True:
                    ready, _, _ = select.select(list(pair), [], [])
                    for one in ready:
                        data = one.recv(PIECE)
                        if not data:
                            return
                        pair[one].sendall(data)
            finally:
                with self._lock:
                    self._open.difference_update(pair)
