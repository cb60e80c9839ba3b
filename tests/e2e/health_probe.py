"""Asks a server every 50 ms whether it is healthy, until its standard input ends; then prints the longest wait.

python -m tests.e2e.health_probe ADDRESS
"""

import sys
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

EVERY_SECONDS = 0.05


def main() -> None:
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    longest = 0.0
    with grpc.insecure_channel(sys.argv[1], options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        stub.Check(health_pb2.HealthCheckRequest(), timeout=30)  # connects
        print("ready", flush=True)  # noqa: T201
        while not over.wait(EVERY_SECONDS):
            start = time.perf_counter()
            stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
            longest = max(longest, time.perf_counter() - start)
    print(longest, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
