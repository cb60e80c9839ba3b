"""The light server, whose backtests take memory without end, and whose settings allow a low limit of it."""

from typing import NoReturn

from server import assembly, limit_settings
from server.__main__ import main
from server.tasks import backtest, libraries

MIB = 1 << 20


def hungry(*_: object, **__: object) -> NoReturn:
    """The task of a backtest, in a worker process."""
    held: list[bytes] = []
    while True:  # ends with the process
        held.append(bytes(range(256)) * (MIB // 256))


if __name__ == "__main__":
    from tests.e2e import hungry_server  # by its name: workers find the task there

    libraries.LIBRARIES = ()  # type: ignore[assignment]
    limit_settings.LEAST_MEMORY_BYTES = MIB
    assert assembly.backtest is backtest
    backtest.run = hungry_server.hungry
    main()
