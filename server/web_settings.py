"""Settings of the listener for browsers, from texts."""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from domain.records import dataclass
from server.identity_settings import Value, Wrong, is_loopback


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where browsers are served, and the pages of which origins may call."""

    listen: str
    origins: tuple[str, ...] = ()  # as browsers send them: scheme, host, and the port where it is not the usual one
    max_calls: int = 500  # calls that end and streams that stay open, of each
    pages: Path | None = None  # the folder of the page; None: none is served


def web_from(value: Value, max_calls: int, methods: tuple[str, ...], wrong: Wrong) -> WebSettings | None:
    """The listener for browsers; None where none is set. `methods` are those of --auth. Raises what `wrong` raises."""
    listen, origins, pages = value("web_listen"), value("web_origins"), value("web_pages")
    if not listen:
        for name, given in (("web_origins", origins), ("web_pages", pages)):
            if given:
                wrong(name, "must be given with --web-listen (ABSFIN_WEB_LISTEN)")
        return None
    _check_listen(listen, methods, wrong)
    if find_spec("uvicorn") is None:
        wrong("web_listen", "needs the extra `web`: pip install 'abs-finance[web]'")
    return WebSettings(listen, _origins(origins, wrong), max_calls, _pages(pages, wrong))


def _check_listen(listen: str, methods: tuple[str, ...], wrong: Wrong) -> None:
    host, separator, port = listen.rpartition(":")
    if not separator or not host or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        wrong("web_listen", f"must be host:port with a port from 0 to 65535, is {listen!r}")
    if not methods and not is_loopback(host.strip("[]")):
        wrong("web_listen", f"must be a loopback address such as 127.0.0.1:{port} while --auth is none, is {listen!r}")
    if methods == ("mtls",):
        wrong("web_listen", "needs jwt or keys in --auth (ABSFIN_AUTH): browsers are known by a token alone")


def _origins(text: str, wrong: Wrong) -> tuple[str, ...]:
    found = tuple(origin.strip().lower() for origin in text.split(",") if origin.strip())
    for origin in found:
        if not _is_origin(origin):
            wrong(
                "web_origins",
                "must be origins such as https://desk.example.com, without a path or a wildcard, with commas between "
                f"them, is {origin!r}",
            )
    return found


def _pages(folder: str, wrong: Wrong) -> Path | None:
    if not folder:
        return None
    if not Path(folder).is_dir():
        wrong("web_pages", f"must be a folder, is {folder!r}")
    return Path(folder).resolve()


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and not any(sign in text for sign in " *@")
    return is_named and is_plain and text == f"{parts.scheme}://{parts.netloc}"
