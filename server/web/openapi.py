"""A document of OpenAPI 3.1 for the JSON of the unary methods, from the descriptors of the contract.

JSON is that of https://protobuf.dev/programming-guides/json. Streams, which OpenAPI does not support, are left out.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from server.web.methods import Method, descriptor_of

_SPECIAL: Mapping[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
}
"""Messages that JSON writes in another way than by their fields."""

_WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)

_NUMBER = {"oneOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_SCALARS: Mapping[int, dict[str, Any]] = {
    FieldDescriptor.TYPE_DOUBLE: _NUMBER,
    FieldDescriptor.TYPE_FLOAT: _NUMBER,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SINT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SFIXED32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0},
    FieldDescriptor.TYPE_FIXED32: {"type": "integer", "minimum": 0},
}
_WIDE = {"type": ["string", "integer"], "format": "int64"}
"""64 bits are more than a number of JSON keeps, so answers have them as texts."""

_ERROR = {
    "type": "object",
    "required": ["code"],
    "properties": {
        "code": {"type": "string", "examples": ["invalid_argument", "not_found"]},
        "message": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "value"],
                "properties": {
                    "type": {"type": "string", "examples": ["google.rpc.ErrorInfo"]},
                    "value": {"type": "string", "contentEncoding": "base64"},
                    "debug": {"type": "object", "description": "the fields of the detail, to be read"},
                },
            },
        },
    },
}


def openapi_document(methods: Iterable[Method]) -> bytes:
    """The document as JSON."""
    unary = [method for method in methods if method.is_unary]
    schemas = _Schemas()
    paths = {method.path: {"post": _operation(method, schemas)} for method in unary}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "abs-finance",
            "version": "v1",
            "description": "The unary methods of absfinance.v1 as Connect JSON.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.all(), "connect.error": _ERROR},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _operation(method: Method, schemas: "_Schemas") -> dict[str, Any]:
    _, service, name = method.path.split("/")
    return {
        "operationId": f"{service.rpartition('.')[2]}_{name}",
        "tags": [service],
        "requestBody": {"required": True, "content": _content(schemas.message(descriptor_of(method.request)))},
        "responses": {
            "200": {"description": "the answer", "content": _content(schemas.message(descriptor_of(method.answer)))},
            "default": {"description": "an error", "content": _content({"$ref": "#/components/schemas/connect.error"})},
        },
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


class _Schemas:
    """The schemas of messages and enums that a document refers to, each once."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def all(self) -> dict[str, dict[str, Any]]:
        """All that were referred to, by the names of the contract."""
        return dict(sorted(self._found.items()))

    def message(self, descriptor: Descriptor) -> dict[str, Any]:
        """The schema of a message, or a reference to it."""
        name = descriptor.full_name
        if name in _SPECIAL:
            return dict(_SPECIAL[name])
        if name in _WRAPPERS:
            return self._one(descriptor.fields_by_name["value"])
        if name not in self._found:
            self._found[name] = schema = {"type": "object", "additionalProperties": False}
            schema["properties"] = {field.json_name: self._field(field) for field in descriptor.fields}
        return {"$ref": f"#/components/schemas/{name}"}

    def _field(self, field: FieldDescriptor) -> dict[str, Any]:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": self._one(kind.fields_by_name["value"])}
        schema = self._one(field)
        return {"type": "array", "items": schema} if field.is_repeated else schema

    def _one(self, field: FieldDescriptor) -> dict[str, Any]:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return dict(_SCALARS.get(field.type, _WIDE))

    def _enum(self, descriptor: EnumDescriptor) -> dict[str, Any]:
        self._found[descriptor.full_name] = {"type": "string", "enum": [value.name for value in descriptor.values]}
        return {"$ref": f"#/components/schemas/{descriptor.full_name}"}
