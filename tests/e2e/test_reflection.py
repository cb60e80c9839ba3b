"""A server describes itself, so that tools need no files."""

from collections.abc import Callable

import grpc
import pytest
from absfinance.v1 import optimization_pb2, optimization_service_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from server.app import SERVICE_NAMES
from server.reflection import Reflection

OLDER = "grpc.reflection.v1alpha.ServerReflection"
NEWER = "grpc.reflection.v1.ServerReflection"
Ask = Callable[..., ServerReflectionResponse]


@pytest.fixture(params=[OLDER, NEWER])
def ask(channel: grpc.Channel, request: pytest.FixtureRequest) -> Ask:
    """The messages of both protocols are the same on the wire."""
    method = channel.stream_stream(
        f"/{request.param}/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )

    def asked(**fields: str) -> ServerReflectionResponse:
        (answer,) = method(iter([ServerReflectionRequest(**fields)]), timeout=10)
        return answer

    return asked


def files(answer: ServerReflectionResponse) -> list[FileDescriptorProto]:
    return [FileDescriptorProto.FromString(one) for one in answer.file_descriptor_response.file_descriptor_proto]


def test_every_service_is_listed(ask: Ask) -> None:
    listed = {service.name for service in ask(list_services="").list_services_response.service}
    assert listed == {*SERVICE_NAMES, "grpc.health.v1.Health", OLDER, NEWER}


def test_every_service_that_is_listed_is_described(ask: Ask) -> None:
    for service in ask(list_services="").list_services_response.service:
        package, name = service.name.rsplit(".", 1)
        assert any(
            file.package == package and name in {one.name for one in file.service}
            for file in files(ask(file_containing_symbol=service.name))
        ), service.name


def test_messages_come_with_all_they_import(ask: Ask) -> None:
    pending, known = ["absfinance/v1/optimization_service.proto"], set[str]()
    while pending:
        name = pending.pop()
        if name in known:
            continue
        known.add(name)
        for content in files(ask(file_by_filename=name)):
            pending.extend(content.dependency)
    assert {"absfinance/v1/panel.proto", "buf/validate/validate.proto", "google/type/date.proto"} <= known


def test_every_field_has_the_name_that_json_uses(ask: Ask) -> None:
    """Against the names that the protobuf library derives by itself."""
    known = {
        field.full_name: field.json_name
        for module in (optimization_pb2, optimization_service_pb2)
        for message in module.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
    }
    seen: dict[str, str] = {}

    def look(message: DescriptorProto, scope: str) -> None:
        for field in message.field:
            assert field.json_name
            seen[f"{scope}.{message.name}.{field.name}"] = field.json_name
        for nested in message.nested_type:
            look(nested, f"{scope}.{message.name}")

    for file in files(ask(file_by_filename="absfinance/v1/optimization_service.proto")):
        for message in file.message_type:
            look(message, file.package)
    assert {name: seen[name] for name in known} == known
    assert seen["absfinance.v1.Moments.expected_returns"] == "expectedReturns"


def test_what_is_unknown_is_not_found(ask: Ask) -> None:
    for answer in (ask(file_containing_symbol="absfinance.v1.Nothing"), ask(file_by_filename="nothing.proto")):
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_several_questions_are_answered_in_order(channel: grpc.Channel) -> None:
    method = channel.stream_stream(
        f"/{NEWER}/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    asked = [ServerReflectionRequest(file_containing_symbol=name) for name in (NEWER, SERVICE_NAMES[0], "none")]
    answers = list(method(iter(asked), timeout=10))
    assert [answer.original_request for answer in answers] == asked
    assert [answer.HasField("error_response") for answer in answers] == [False, False, True]


async def test_a_stream_on_which_nothing_is_asked_is_ended() -> None:
    server = grpc.aio.server()
    Reflection((), idle_seconds=0.2).add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(
            f"/{NEWER}/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )(timeout=20)
        await call.write(ServerReflectionRequest(list_services=""))
        assert (await call.read()).list_services_response.service
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK
    await server.stop(0)
