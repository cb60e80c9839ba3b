"""Changes messages: some fields dropped, repeated, swapped, emptied or set to an extreme; bytes altered."""

from collections.abc import Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.fuzzing.contract import choices, is_map, new, submessages
from tests.fuzzing.messages import Maker
from tests.fuzzing.values import edge

HUGE_BYTES = 3_500_000
"""What a message is made no longer than: a server takes 4 MiB."""


def sites(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """Every field that is set, with the message that it belongs to."""
    for one in submessages(message):
        for field, _ in one.ListFields():
            if not is_map(field):
                yield one, field


def mutated(message: Message, maker: Maker, changes: int) -> None:
    """Changes a message in place."""
    rng = maker.rng
    for _ in range(changes):
        places = list(sites(message))
        if not places:
            maker.fill(message, rng.choice(message.DESCRIPTOR.fields), 0) if message.DESCRIPTOR.fields else None
            continue
        owner, field = rng.choice(places)
        change = rng.choice((_drop, _extreme, _extreme, _extreme, _other_branch, _add, _list, _list))
        change(owner, field, maker)


def enlarged(message: Message, rng: Random) -> None:
    """Makes one list of a message very long: of empty submessages, or of its own values."""
    lists = [(owner, field) for one in submessages(message) for owner, field in _lists(one)]
    if not lists:
        return
    owner, field = rng.choice(lists)
    values: Any = getattr(owner, field.name)
    many = rng.choice((10_000, 20_000, 60_000))
    if field.message_type is not None:
        filler = new(field.message_type) if rng.random() < 0.7 or not values else values[0]
        each = filler.ByteSize() + 4
        values.extend([filler] * min(many, HUGE_BYTES // each))
        return
    filler = values[0] if values and rng.random() < 0.5 else edge(field, rng)
    each = len(filler) + 2 if isinstance(filler, str | bytes) else 10
    values.extend([filler] * min(many if rng.random() < 0.7 else HUGE_BYTES, HUGE_BYTES // each))


def garbled(data: bytes, rng: Random) -> bytes:
    """The bytes of a message, cut, altered or replaced."""
    match rng.randrange(4):
        case 0:
            return data[: rng.randrange(len(data) + 1)]
        case 1:
            changed = bytearray(data)
            for _ in range(rng.randint(1, 8) if changed else 0):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            return bytes(changed)
        case 2:
            at = rng.randrange(len(data) + 1)
            return data[:at] + rng.randbytes(rng.randint(1, 20)) + data[at:]
    return rng.randbytes(rng.choice((1, 10, 1000)))


def _lists(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    return ((message, field) for field in message.DESCRIPTOR.fields if field.is_repeated and not is_map(field))


def _drop(owner: Message, field: FieldDescriptor, maker: Maker) -> None:
    owner.ClearField(field.name)


def _extreme(owner: Any, field: FieldDescriptor, maker: Maker) -> None:
    if field.message_type is not None:
        if not field.is_repeated:
            getattr(owner, field.name).Clear()
            getattr(owner, field.name).SetInParent()
        return
    value = edge(field, maker.rng)
    if field.is_repeated:
        values = getattr(owner, field.name)
        values[maker.rng.randrange(len(values))] = value
    else:
        setattr(owner, field.name, value)


def _other_branch(owner: Message, field: FieldDescriptor, maker: Maker) -> None:
    found = choices(owner.DESCRIPTOR)
    if found:
        maker.fill(owner, maker.rng.choice(maker.rng.choice(found).fields), 0)


def _add(owner: Message, field: FieldDescriptor, maker: Maker) -> None:
    maker.fill(owner, maker.rng.choice(owner.DESCRIPTOR.fields), 2)


def _list(owner: Message, field: FieldDescriptor, maker: Maker) -> None:
    if not field.is_repeated:
        _extreme(owner, field, maker)
        return
    values: Any = getattr(owner, field.name)
    listed, rng = list(values), maker.rng
    match rng.randrange(4):
        case 0:
            listed.append(listed[rng.randrange(len(listed))])
        case 1:
            del listed[rng.randrange(len(listed))]
        case 2:
            listed.reverse()
        case _:
            i, j = rng.randrange(len(listed)), rng.randrange(len(listed))
            listed[i], listed[j] = listed[j], listed[i]
    copies = [type(one).FromString(one.SerializeToString()) if isinstance(one, Message) else one for one in listed]
    del values[:]
    values.extend(copies)
