"""Frames between a worker and the server: they arrive whole, however many writes they take."""

import socket
import threading

import pytest

from server.execution.worker import _receive, _send, _write


@pytest.mark.parametrize("count", [0, 1, 100_000, 5_000_000])
def test_a_frame_that_is_sent_in_parts_arrives_whole(count: int) -> None:
    """A socket with a time limit sends what its buffer takes, and says how much that was."""
    data = bytes(range(256)) * (count // 256) + bytes(count % 256)
    theirs, ours = socket.socketpair()
    with theirs, ours:
        ours.settimeout(30.0)
        theirs.settimeout(10.0)
        writing = threading.Thread(target=_write, args=(ours, len(data).to_bytes(8, "big"), data))
        writing.start()
        assert _receive(theirs) == data
        writing.join(30.0)
        assert not writing.is_alive()


def test_no_frame_comes_from_a_socket_that_is_closed() -> None:
    theirs, ours = socket.socketpair()
    with theirs:
        _send(ours, "the last one")
        ours.close()
        assert _receive(theirs) is not None
        assert _receive(theirs) is None
