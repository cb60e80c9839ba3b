"""A server describes itself, so that tools need no files."""

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from server.app import SERVICE_NAMES


def test_every_service_is_listed(channel: grpc.Channel) -> None:
    stub = ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([ServerReflectionRequest(list_services="")]), timeout=10)
    listed = {service.name for service in answer.list_services_response.service}
    assert listed == {*SERVICE_NAMES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def test_messages_come_with_all_they_import(channel: grpc.Channel) -> None:
    stub = ServerReflectionStub(channel)
    pending, known = ["absfinance/v1/optimization_service.proto"], set[str]()
    while pending:
        name = pending.pop()
        if name in known:
            continue
        known.add(name)
        (answer,) = stub.ServerReflectionInfo(iter([ServerReflectionRequest(file_by_filename=name)]), timeout=10)
        for content in answer.file_descriptor_response.file_descriptor_proto:
            pending.extend(FileDescriptorProto.FromString(content).dependency)
    assert {"absfinance/v1/panel.proto", "buf/validate/validate.proto", "google/type/date.proto"} <= known
