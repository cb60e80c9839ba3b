"""Arrays whose references compiled code does not count, for the length of one call.

numba counts the references to an array wherever a function hands it to another, each time by an atomic instruction. A
fill has thirty arrays: counting took three quarters of its time. The arguments of a call are alive until it returns,
so its functions need not count them.

Only arguments are borrowed: an array that is made in a function is freed at its last use there. What is borrowed is
neither returned nor kept.
"""

from typing import Any, TypeVar

from numba.core import cgutils, types
from numba.extending import intrinsic, overload

numba_types: Any = types
instructions: Any = cgutils  # numba does not declare types

T = TypeVar("T")


def borrowed(argument: T) -> T:
    """An array, or a tuple with arrays in it, to which no references are counted; outside compiled code, itself."""
    return argument


def _typed(context: Any, argument: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _without_owner(context, builder, signature.args[0], arguments[0])

    return argument(argument), generate


_borrowed: Any = intrinsic(_typed)


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """A value of some type with no owner in its arrays: numba counts nothing for those that it does not own."""
    if isinstance(kind, numba_types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = instructions.get_null_value(array.meminfo.type)
        array.parent = instructions.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, numba_types.BaseTuple):
        for i, one in enumerate(kind):
            entry = _without_owner(context, builder, one, builder.extract_value(value, i))
            value = builder.insert_value(value, entry, i)
    return value


@overload(borrowed)
def _compiled(argument: Any) -> Any:
    def compiled(argument: Any) -> Any:
        return _borrowed(argument)

    return compiled
