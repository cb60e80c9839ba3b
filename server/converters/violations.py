"""Broken rules of the contract, as a caller reads them: a field that the message has, and the rule in words.

A rule may be about a message and not about one field: a required oneof, or a rule over several fields. The path is then
that of the message; where the message is the whole request, which has no path, it is the first field that the rule
names: the first member of the oneof, or the first field in the expression. The text names the others.
"""

import re
from collections.abc import Sequence
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from domain.errors import InvalidInput
from domain.records import dataclass
from server.converters.not_built import is_built

_RESOURCE = re.compile(r"\^\(?([A-Za-z|]+)\)?/\[A-Za-z0-9_-\]\{1,64\}\$")
_FIELD_OF_EXPRESSION = re.compile(r"\bthis\.(\w+)")
_CHARACTERS = "characters of A-Z, a-z, 0-9, '_' and '-'"

_PATTERNS = {
    "^[A-Z]{3}$": "three capital letters, such as 'USD'",
    "^[A-Za-z0-9_-]{0,64}$": f"at most 64 {_CHARACTERS}",
    "^[^=]{1,63}$": "1 to 63 characters without '='",
    "^[^=]{1,63}=.{1,64}$": "'kind=name', such as 'sector=Energy', 1 to 63 characters before the '=', 1 to 64 after it",
}
"""What the patterns of the contract demand, besides names of resources."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the contract that a field breaks."""

    field: str
    rule: str
    rule_id: str = ""  # as protovalidate names it, such as double.gt

    @property
    def reason(self) -> str:
        """The rule's id in upper snake case, such as DOUBLE_GT; INVALID_INPUT where there is none."""
        return re.sub(r"\W+", "_", self.rule_id).upper() or InvalidInput.REASON


def violation_in_words(found: protovalidate.Violation, kind: Any) -> Violation:
    """A violation of a rule by a message with this descriptor."""
    elements = list(found.proto.field.elements) if found.proto.field is not None else []
    rule_id: str = found.proto.rule_id
    if not elements:
        return Violation(first_field(kind, rule_id), found.proto.message, rule_id)
    *surrounding, last = elements
    owner = _message_at(kind, surrounding)
    if (field := owner.fields_by_name.get(last.field_name)) is not None:
        return Violation(_path(elements), _in_words(found, field), rule_id)
    members = [member.name for member in owner.oneofs_by_name[last.field_name].fields if is_built(member)]
    return Violation(_path(surrounding) or members[0], f"must be set: one of {', '.join(members)}", rule_id)


def pattern_in_words(pattern: str) -> str:
    """What a regular expression of the contract demands. Raises KeyError for one without a text here."""
    if pattern.startswith("^$|"):
        return f"empty, or {pattern_in_words(pattern.removeprefix('^$|'))}"
    if (resource := _RESOURCE.fullmatch(pattern)) is not None:
        names = " or ".join(f"'{collection}/{{id}}'" for collection in resource[1].split("|"))
        return f"{names}, the id 1 to 64 {_CHARACTERS}"
    return _PATTERNS[pattern]


def _in_words(found: protovalidate.Violation, field: FieldDescriptor) -> str:
    rule_id: str = found.proto.rule_id
    if rule_id == "string.pattern":
        return f"must be {pattern_in_words(str(found.rule_value))}"
    if rule_id in ("enum.not_in", "enum.defined_only") and field.enum_type is not None:
        start = "must be set:" if found.field_value == 0 else "must be"
        return f"{start} one of {', '.join(_allowed(field, field.enum_type))}"
    text: str = found.proto.message
    return text


def _allowed(field: FieldDescriptor, kind: EnumDescriptor) -> list[str]:
    rules = _rules(field)
    refused = rules.repeated.items.enum.not_in if field.is_repeated else rules.enum.not_in
    # Leaving a field out is how its value 0 is asked for.
    return [value.name for value in kind.values if value.number not in (0, *refused)]


def _rules(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]  # type: ignore[index]  # typed for its own kind only


def _path(elements: Sequence[Any]) -> str:
    """The field as a path such as `constraints[1].weight_bounds.lower`."""
    path = ""
    for element in elements:
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value}]"
    return path


def _message_at(kind: Any, elements: Sequence[Any]) -> Any:
    """The kind of message at a path."""
    for element in elements:
        kind = kind.fields_by_name[element.field_name].message_type
    return kind


def first_field(kind: Any, rule_id: str) -> str:
    """The field that a rule over a whole message names first."""
    options: Any = kind.GetOptions().Extensions[validate_pb2.message]
    expression = next((rule.expression for rule in options.cel if rule.id == rule_id), "")
    named = _FIELD_OF_EXPRESSION.search(expression)
    return named[1] if named is not None else ""
