"""Starts the server: python -m server --help

Imports wait until `main` runs: worker processes import this module too, and need none of it.
"""

import sys


def main() -> None:
    """Entry point of `absfin-server` and `python -m server`, and of its commands `keys`, `storage` and `doctor`."""
    import gc
    import os

    from server.settings import Settings, WrongSetting

    try:
        if sys.argv[1:2] == ["keys"]:
            from server.key_command import run

            run(sys.argv[2:])
            return
        if sys.argv[1:2] == ["storage"]:
            from server.storage_command import run as run_storage

            run_storage(sys.argv[2:])
            return
        if sys.argv[1:2] == ["doctor"]:
            from server.doctor_command import run as run_doctor

            run_doctor(sys.argv[2:])
            return
        settings = Settings.read(sys.argv[1:], os.environ)
        import asyncio

        from server.execution.template import Template
        from server.tasks.libraries import FIRST, LIBRARIES

        template = Template(FIRST, LIBRARIES)
        template.start()
        # Collecting garbage takes a tenth of the start: of what is imported, nothing is garbage, now or later.
        gc.disable()
        from server.bootstrap import serve

        gc.freeze()
        gc.enable()
        asyncio.run(serve(settings, template))
    except WrongSetting as error:
        sys.exit(f"abs-finance: {error}")


if __name__ == "__main__":
    main()
