"""What a request is, apart from how its answer is named: two hashes, one for the answer and one for the request."""

import hashlib
from typing import Generic, TypeVar

from google.protobuf.message import Message

from domain.records import dataclass

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Identity(Generic[M]):
    """A request without its ids and label, and its hashes."""

    bare: M
    content: bytes  # of what determines the answer
    body: bytes  # of all but the request id: the same request id must come with the same body


def identity_of(request: M, id_field: str, *without: str) -> Identity[M]:
    """`id_field` holds the id that the caller chose; fields in `without` determine neither answer nor request."""
    bare = type(request)()
    bare.CopyFrom(request)
    for name in ("request_id", "label", id_field, *without):
        bare.ClearField(name)
    content = hashlib.sha256(bare.SerializeToString(deterministic=True)).digest()
    label, chosen = str(getattr(request, "label")), str(getattr(request, id_field))  # noqa: B009  # a field of the contract
    if not label and not chosen:
        return Identity(bare, content, content)
    return Identity(bare, content, hashlib.sha256(content + f"{label}\0{chosen}".encode()).digest())
