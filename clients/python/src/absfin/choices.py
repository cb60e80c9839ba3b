"""Choices of the contract by their plain names: "close" for PRICE_FIELD_CLOSE."""

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

UNSPECIFIED = "UNSPECIFIED"


class UnknownChoice(ValueError):
    """An argument is none of the names that the contract has for it."""


def choice(enum: EnumTypeWrapper, argument: str, name: str) -> str:
    """The name that the contract uses for a plain name. Raises UnknownChoice, which lists the names there are."""
    names = list(enum.keys())
    prefix = names[0].removesuffix(UNSPECIFIED)
    wanted = prefix + name.upper()
    if wanted not in names or name.upper() == UNSPECIFIED:
        plain = ", ".join(known.removeprefix(prefix).lower() for known in names[1:])
        raise UnknownChoice(f"{argument}: {name!r} is none of {plain}")
    return wanted
