"""The example that watches events, against a server of events that breaks its stream."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from absfinance.v1.event_service_pb2 import WatchEventsRequest, WatchEventsResponse
from absfinance.v1.event_service_pb2_grpc import EventServiceServicer, add_EventServiceServicer_to_server

from tests.clients.go.conftest import GoClient
from tests.processes import first_line


class Events(EventServiceServicer):  # type: ignore[misc]  # generated without annotations
    """Two signals, a broken stream, then the third."""

    def __init__(self) -> None:
        self.resumed_after: list[int] = []
        self.over = threading.Event()

    def WatchEvents(  # noqa: N802  # named by the contract
        self, request: WatchEventsRequest, context: Any
    ) -> Iterator[WatchEventsResponse]:
        self.resumed_after.append(request.after_sequence)
        snapshot = WatchEventsResponse.Snapshot(oldest_sequence=1, newest_sequence=3)
        yield WatchEventsResponse(epoch="e", snapshot=snapshot)
        for sequence in range(request.after_sequence + 1, 4):
            if sequence == 3 and len(self.resumed_after) == 1:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the server shuts down")
            yield WatchEventsResponse(
                sequence=sequence,
                epoch="e",
                signal=WatchEventsResponse.Signal(kind="EVENT_KIND_DRIFT", severity="SEVERITY_INFO", message="drift"),
            )
        self.over.wait(30.0)


def test_it_resumes_and_ends_when_it_is_interrupted(go_client: GoClient) -> None:
    events = Events()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_EventServiceServicer_to_server(events, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    command = [str(go_client.programs / "events"), f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as example:
        lines = [first_line(example, 60.0) for _ in range(4)]
        example.send_signal(signal.SIGINT)
        assert example.wait(60) == 0
    events.over.set()
    server.stop(None)
    assert lines == ["the newest event is 3\n"] + [f"{n} SEVERITY_INFO EVENT_KIND_DRIFT: drift\n" for n in (1, 2, 3)]
    assert events.resumed_after == [0, 2]
