"""Server reflection: the contract as the server knows it, for tools such as grpcurl.

grpcio answers the older protocol, v1alpha, only, and its descriptors leave `json_name` out, so that tools print field
names in snake case. Here both protocols are answered, with every `json_name`; their messages are the same on the wire.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any

import grpc
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

OLDER: str = reflection.SERVICE_NAME
_OLDER_PACKAGE = "grpc.reflection.v1alpha"
_NEWER_PACKAGE = "grpc.reflection.v1"
NEWER = f"{_NEWER_PACKAGE}.ServerReflection"
_NEWER_FILE = "grpc/reflection/v1/reflection.proto"

IDLE_SECONDS = 60.0
"""A tool asks one question after the other; a stream without one for so long is ended."""


class Reflection:
    """Both reflection services over one set of descriptors."""

    def __init__(self, service_names: Iterable[str], idle_seconds: float = IDLE_SECONDS) -> None:
        self._answers = reflection.aio.ReflectionServicer((*service_names, OLDER, NEWER))
        self._idle_seconds = idle_seconds

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers both services."""
        handler = grpc.stream_stream_rpc_method_handler(
            self.info,
            request_deserializer=ServerReflectionRequest.FromString,
            response_serializer=ServerReflectionResponse.SerializeToString,
        )
        for name in (OLDER, NEWER):
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),)
            )

    async def info(
        self, requests: AsyncIterator[ServerReflectionRequest], context: Any
    ) -> AsyncIterator[ServerReflectionResponse]:
        """One answer for each request."""
        async for request in _until_idle(requests, self._idle_seconds):
            if _asks_for_newer(request):
                answer = ServerReflectionResponse(original_request=request)
                answer.file_descriptor_response.file_descriptor_proto.append(_newer_file())
                yield answer
                continue
            # Its stub says that it returns a coroutine; it is an asynchronous generator.
            answers: Any = self._answers.ServerReflectionInfo(_one(request), context)
            async for answer in answers:
                if answer.HasField("file_descriptor_response"):
                    files = answer.file_descriptor_response.file_descriptor_proto
                    files[:] = map(_with_json_names, files)
                yield answer


async def _until_idle(
    requests: AsyncIterator[ServerReflectionRequest], seconds: float
) -> AsyncIterator[ServerReflectionRequest]:
    """The requests of a stream, until it ends or nothing comes for so many seconds."""
    iterator = aiter(requests)
    while True:  # ends with the stream
        try:
            async with asyncio.timeout(seconds):
                request = await anext(iterator)
        except (StopAsyncIteration, TimeoutError):
            return
        yield request


async def _one(request: ServerReflectionRequest) -> AsyncIterator[ServerReflectionRequest]:
    yield request


def _asks_for_newer(request: ServerReflectionRequest) -> bool:
    return request.file_by_filename == _NEWER_FILE or request.file_containing_symbol.startswith(f"{_NEWER_PACKAGE}.")


@cache
def _newer_file() -> bytes:
    """The file of the newer protocol: that of the older one in another package."""
    older = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(older)
    text = text_format.MessageToString(older).replace(_OLDER_PACKAGE, _NEWER_PACKAGE)
    newer = text_format.Parse(text, FileDescriptorProto())
    newer.name = _NEWER_FILE
    newer.ClearField("options")
    return _with_json_names(newer.SerializeToString())


@cache
def _with_json_names(encoded: bytes) -> bytes:
    """A file whose fields all have their `json_name`."""
    file = FileDescriptorProto.FromString(encoded)
    _name_fields(file.extension)
    for message in file.message_type:
        _name_fields_of(message)
    return file.SerializeToString()


def _name_fields_of(message: DescriptorProto) -> None:
    _name_fields(message.field)
    _name_fields(message.extension)
    for nested in message.nested_type:
        _name_fields_of(nested)


def _name_fields(fields: Iterable[FieldDescriptorProto]) -> None:
    for field in fields:
        if not field.json_name:
            field.json_name = json_name(field.name)


def json_name(name: str) -> str:
    """The name of a field in JSON, as protoc derives it: without underscores, the letter after each in upper case."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
