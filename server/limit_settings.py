"""Settings of how much one caller, and the work for one request, may use."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from domain.records import dataclass
from server.identity_settings import Value

Number = Callable[[str, str, float, float], float]
Whole = Callable[[str, str, int, int], int]

OPTIONS: Mapping[str, tuple[str, str, str]] = {
    "max_calls_per_second": (
        "ABSFIN_MAX_CALLS_PER_SECOND",
        "calls that one caller may make in a second, over longer times; 0: any number",
        "0",
    ),
    "max_call_burst": ("ABSFIN_MAX_CALL_BURST", "calls that one caller may make at once, where that is set", "100"),
    "max_calls_of_caller": (
        "ABSFIN_MAX_CALLS_OF_CALLER",
        "calls of one caller served at once; 0: three quarters of ABSFIN_MAX_CONCURRENT_REQUESTS",
        "0",
    ),
    "max_streams_of_caller": (
        "ABSFIN_MAX_STREAMS_OF_CALLER",
        "streams of one caller that are open at once, of answers and of requests each; 0: likewise",
        "0",
    ),
    "max_request_memory_bytes": (
        "ABSFIN_MAX_REQUEST_MEMORY_BYTES",
        "bytes of memory that the work for one request or job may have; 0: any; half of the machine's if absent",
        "",
    ),
}
"""Environment variable, meaning and value where nobody sets it, of each setting."""

LEAST_MEMORY_BYTES = 512 << 20
"""A worker has loaded libraries of half of this before it has a request."""

MOST = 10**15
FRACTION_OF_MACHINE = 0.5
_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much one caller, and the work for one request, may use; 0 sets no limit of its own."""

    calls_per_second: float = 0.0
    call_burst: int = 100
    calls_of_caller: int = 0
    streams_of_caller: int = 0
    request_memory_bytes: int = 0


def limits_from(value: Value, number: Number, whole: Whole) -> LimitSettings:
    """The limits. Raises what `number` and `whole` raise of a text that is no number within its bounds."""
    memory = value("max_request_memory_bytes")
    if memory and memory != "0":
        memory_bytes = whole("max_request_memory_bytes", memory, LEAST_MEMORY_BYTES, MOST)
    else:
        memory_bytes = 0 if memory else default_memory_bytes()
    return LimitSettings(
        number("max_calls_per_second", value("max_calls_per_second"), 0.0, 1e6),
        whole("max_call_burst", value("max_call_burst"), 1, 1_000_000),
        whole("max_calls_of_caller", value("max_calls_of_caller"), 0, 1_000_000),
        whole("max_streams_of_caller", value("max_streams_of_caller"), 0, 1_000_000),
        memory_bytes,
    )


def default_memory_bytes() -> int:
    """Half of the memory of this machine, or of the container where that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no container, or "max"
        machine = min(machine, int(_CGROUP.read_text()))
    return max(LEAST_MEMORY_BYTES, round(FRACTION_OF_MACHINE * machine))
