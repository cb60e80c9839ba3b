"""The protos with their comments and rules, as the compiler reads them."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from buf.validate import validate_pb2
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
GOOGLE = Path(protoc.__file__).with_name("_proto")
"""The protos that the compiler comes with."""

# Numbers of descriptor.proto: a comment belongs to the path of these to what it describes.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, NESTED_MESSAGES, NESTED_ENUMS = 2, 3, 4
VALUES = METHODS = 2

Place = tuple[int, ...]
Comments = dict[Place, str]


@dataclass(frozen=True)
class Field:
    """A field of a message."""

    name: str  # in JSON
    type: str  # of a message or an enum its full name
    refers: bool  # to a message or an enum
    repeated: bool
    choice: str  # the oneof that it belongs to, or nothing
    rules: str
    comment: str


@dataclass(frozen=True)
class Value:
    """A value of an enum."""

    name: str
    comment: str


@dataclass(frozen=True)
class Type:
    """A message or an enum; what a message declares inside follows it in the list of its file."""

    name: str  # full
    comment: str
    fields: tuple[Field, ...] = ()
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Method:
    """A method of a service."""

    name: str
    request: str
    response: str
    shape: str
    comment: str


@dataclass(frozen=True)
class Service:
    """A service."""

    name: str
    comment: str
    methods: tuple[Method, ...]


@dataclass(frozen=True)
class ProtoFile:
    """What one file declares."""

    stem: str
    services: tuple[Service, ...] = ()
    types: tuple[Type, ...] = field(default=())


def proto_files(protos: Path = ROOT / "protos") -> list[ProtoFile]:
    """The files of absfinance.v1, by name. Raises ValueError where they do not compile."""
    own = sorted(str(path.relative_to(protos)) for path in protos.glob("absfinance/v1/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "contract.binpb"
        options = [
            f"--proto_path={protos}",
            f"--proto_path={GOOGLE}",
            "--include_source_info",
            f"--descriptor_set_out={compiled}",
        ]
        if protoc.main(["protoc", *options, *own]) != 0:
            raise ValueError("the protos do not compile: see standard error")
        found = FileDescriptorSet.FromString(compiled.read_bytes())
    return [_file(file) for file in found.file]


def _file(file: FileDescriptorProto) -> ProtoFile:
    comments = {
        tuple(place.path): place.leading_comments for place in file.source_code_info.location if place.leading_comments
    }
    types: list[Type] = []
    for index, message in enumerate(file.message_type):
        types += _messages(message, file.package, (MESSAGES, index), comments)
    types += [_enum(each, file.package, (ENUMS, i), comments) for i, each in enumerate(file.enum_type)]
    services = tuple(_service(each, (SERVICES, i), comments) for i, each in enumerate(file.service))
    return ProtoFile(Path(file.name).stem, services, tuple(types))


def _messages(message: DescriptorProto, outer: str, place: Place, comments: Comments) -> Iterator[Type]:
    if message.options.map_entry:
        return
    name = f"{outer}.{message.name}"
    maps = {f".{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    choices = [choice.name for choice in message.oneof_decl]
    fields = tuple(
        _field(each, choices, maps, _comment(comments, (*place, FIELDS, i))) for i, each in enumerate(message.field)
    )
    yield Type(name, _comment(comments, place), fields=fields)
    for i, nested in enumerate(message.nested_type):
        yield from _messages(nested, name, (*place, NESTED_MESSAGES, i), comments)
    for i, enum in enumerate(message.enum_type):
        yield _enum(enum, name, (*place, NESTED_ENUMS, i), comments)


def _field(
    described: FieldDescriptorProto, choices: Sequence[str], maps: dict[str, DescriptorProto], comment: str
) -> Field:
    entry = maps.get(described.type_name)
    # A field that may be absent belongs to a oneof of its own, which nobody has written.
    choice = choices[described.oneof_index] if described.HasField("oneof_index") else ""
    return Field(
        described.json_name,
        f"map of {' to '.join(_type(each) for each in entry.field)}" if entry else _type(described),
        refers=bool(described.type_name) and entry is None,
        repeated=described.label == FieldDescriptorProto.LABEL_REPEATED and entry is None,
        choice="" if described.proto3_optional else choice,
        rules=_rules(described),
        comment=comment,
    )


def _type(described: FieldDescriptorProto) -> str:
    return described.type_name.removeprefix(".") or FieldDescriptorProto.Type.Name(described.type)[5:].lower()


def _rules(described: FieldDescriptorProto) -> str:
    rules = described.options.Extensions[validate_pb2.field]
    return text_format.MessageToString(rules, as_one_line=True)


def _enum(enum: EnumDescriptorProto, outer: str, place: Place, comments: Comments) -> Type:
    values = tuple(Value(value.name, _comment(comments, (*place, VALUES, i))) for i, value in enumerate(enum.value))
    return Type(f"{outer}.{enum.name}", _comment(comments, place), values=values)


def _service(service: ServiceDescriptorProto, place: Place, comments: Comments) -> Service:
    methods = tuple(
        Method(
            method.name,
            method.input_type.removeprefix("."),
            method.output_type.removeprefix("."),
            SHAPES[method.client_streaming, method.server_streaming],
            _comment(comments, (*place, METHODS, i)),
        )
        for i, method in enumerate(service.method)
    )
    return Service(service.name, _comment(comments, place), methods)


SHAPES = {
    (False, False): "unary",
    (False, True): "server stream",
    (True, False): "client stream",
    (True, True): "bidirectional stream",
}


def _comment(comments: Comments, place: Place) -> str:
    return " ".join(comments.get(place, "").split())
