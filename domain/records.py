"""Dataclasses whose definition costs a third: of the start of a server, defining classes was half.

`dataclass` is that of the standard library for type checkers and for readers. Where a class is frozen and has slots it
compiles `__init__` alone; the other methods, which the standard library compiles for each class anew, are shared by
all classes. `dataclasses.field`, `fields`, `replace` and `asdict` work as ever; what inherits from such a class is made
by this module too.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, order: bool = False) -> Any:
        """As `dataclasses.dataclass`."""

        def define(cls: type) -> type:
            if frozen and slots and not order:
                return _frozen(cls)
            return dataclasses.dataclass(cls, frozen=frozen, slots=slots, order=order)

        return define if cls is None else define(cls)


def _frozen(cls: type) -> type:
    """The class with slots for its fields and the methods of a frozen dataclass."""
    if not cls.__doc__:
        cls.__doc__ = cls.__name__  # or a signature would be printed into it
    own = frozenset(vars(cls))
    made: type = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=True)
    fields = dataclasses.fields(made)
    methods = {
        "__init__": _initializer(made, fields),
        "__repr__": _representation([field.name for field in fields if field.repr]),
        **_comparison([field.name for field in fields if field.compare]),
        **_state([field.name for field in fields]),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
    }
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _initializer(cls: Any, fields: tuple[Field[Any], ...]) -> Any:
    """`__init__`, which sets the slots: it is what is called often, so it is compiled for the class."""
    names: dict[str, Any] = {"MISSING": MISSING}
    parameters, body = ["self"], []
    for field in fields:
        name = value = field.name
        if field.default is not MISSING:
            names[f"default_{name}"] = field.default
            parameter, value = f"{name}=default_{name}", name if field.init else f"default_{name}"
        elif field.default_factory is not MISSING:
            names[f"new_{name}"] = field.default_factory
            parameter = f"{name}=MISSING"
            value = f"new_{name}() if {name} is MISSING else {name}" if field.init else f"new_{name}()"
        elif field.init:
            parameter = name
        else:
            continue  # set by __post_init__
        if field.init:
            parameters.append(parameter)
        names[f"set_{name}"] = getattr(cls, name).__set__
        body.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"]), names)  # noqa: S102  # names of fields
    initializer = names["__init__"]
    initializer.__qualname__ = f"{cls.__qualname__}.__init__"
    return initializer


def _representation(names: list[str]) -> Callable[[Any], str]:
    @recursive_repr()
    def represent(self: Any) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return represent


def _comparison(names: list[str]) -> dict[str, Any]:
    """Equal are those of one class whose fields are."""
    values = _getter(names)

    def equal(self: Any, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed}


def _state(names: list[str]) -> dict[str, Any]:
    """What is pickled."""

    def get_state(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def set_state(self: Any, state: list[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return {"__getstate__": get_state, "__setstate__": set_state}


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Values of the fields, always as a tuple: tuples with one array each compare it by identity first."""
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        get = attrgetter(*names)
        return lambda record: (get(record),)
    return lambda _: ()


def _refuse_to_set(self: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
