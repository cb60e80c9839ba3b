"""The ordinary server, except that a worker loads a library when a request needs it, and not ahead.

Loading all of them takes more than two seconds of a processor for each server. How servers start, stop and take over
does not depend on it.
"""

from server.__main__ import main
from server.tasks import libraries

if __name__ == "__main__":
    libraries.LIBRARIES = ()  # type: ignore[assignment]
    main()
