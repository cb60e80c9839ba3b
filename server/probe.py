"""Asks a server on this machine whether it is healthy: exit status 0 if it is. For containers and scripts."""

import os
import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def main() -> None:
    """Entry point of `python -m server.probe [address] [service]`; without a service, of the whole server."""
    default = os.environ.get("ABSFIN_LISTEN", "127.0.0.1:50051")
    address = sys.argv[1] if len(sys.argv) > 1 else default
    service = sys.argv[2] if len(sys.argv) > 2 else ""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=2.0)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                sys.exit(f"the server on {address} has no {service}")
            sys.exit(f"no server answers on {address}")
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        sys.exit(f"{service or 'the server'} on {address} is not serving")


if __name__ == "__main__":
    main()
