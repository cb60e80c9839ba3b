"""The methods that can be called, from the descriptors of the contract."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import absfinance.v1
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """A method with its shape and the types of its messages."""

    path: str  # "/absfinance.v1.OptimizationService/Optimize"
    streams_requests: bool
    streams_answers: bool
    request: type[Message]
    answer: type[Message]

    @property
    def is_unary(self) -> bool:
        """Whether one message is answered by one."""
        return not self.streams_requests and not self.streams_answers


def descriptor_of(kind: type[Message]) -> Descriptor:
    """The descriptor of a message, as that of any message is typed."""
    untyped: Any = kind.DESCRIPTOR
    found: Descriptor = untyped
    return found


def services() -> Iterator[ServiceDescriptor]:
    """The services of the contract."""
    for module in pkgutil.iter_modules(absfinance.v1.__path__):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(f"absfinance.v1.{module.name}").DESCRIPTOR
            yield from file.services_by_name.values()


def all_methods() -> Mapping[str, Method]:
    """The methods of the contract and of the health service, by path."""
    health: Any = health_pb2.DESCRIPTOR.services_by_name["Health"]
    served: tuple[ServiceDescriptor, ...] = (*services(), health)
    return {method.path: method for service in served for method in map(_method, service.methods)}


def _method(descriptor: MethodDescriptor) -> Method:
    return Method(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        streams_requests=descriptor.client_streaming,
        streams_answers=descriptor.server_streaming,
        request=message_factory.GetMessageClass(descriptor.input_type),
        answer=message_factory.GetMessageClass(descriptor.output_type),
    )
