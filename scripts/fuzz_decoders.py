"""Changed bytes for everything that reads bytes. Run it through scripts/fuzz-decoders."""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzzing.decoders import Decoder

LED_BY = ("absfin", "server", "domain", "csv", "gzip", "json", "zipfile", "numpy.lib", "google.protobuf.json_format")
"""Modules whose lines lead atheris: all of them would take it a minute to prepare."""

SLOW_SECONDS = 2.0
KEPT = 200
"""Examples that led to something new are kept, so many at most, and changed in their turn."""


def fuzz(name: str, decoder: "Decoder", seed: int, seconds: float, folder: Path) -> int:
    """Reads changed examples for so many seconds, and returns how many were neither read nor refused as they should."""
    from tests.fuzzing.decoders import changed  # after atheris, which leads by what is loaded after it

    rng = Random(f"{seed}:{name}")  # noqa: S311  # repeatable, not secret
    known, found, count = list(decoder.examples), {""}, 0
    failures = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(rng.choice(known), rng)[: 1 << 16]
        count += 1
        start = time.monotonic()
        end_of_it = _outcome(decoder, data)
        took = time.monotonic() - start
        if end_of_it not in found:
            found.add(end_of_it)
            known = [*known, data][-KEPT:]
            if end_of_it.startswith("! "):
                failures += 1
                _save(name, data, end_of_it, folder)
        if took > SLOW_SECONDS:
            failures += 1
            _save(name, data, f"took {took:.1f} s", folder)
    print(f"{name}: {count} inputs, {len(found) - 1} kinds of ends, {failures} wrong")
    return failures


def _outcome(decoder: "Decoder", data: bytes) -> str:
    """How reading ends: the place of a refusal; with "! " what is none, and empty for what is read."""
    try:
        decoder.read(data)
    except decoder.refusals as error:
        return _place(error)
    except Exception as error:
        return f"! {type(error).__name__} at {_place(error)}"
    return ""


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _save(name: str, data: bytes, problem: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace(' ', '-')}-{len(list(folder.iterdir())):03d}"
    path.write_bytes(data)
    print(f"{name}: {problem}\n    scripts/fuzz-decoders --only {name!r} --replay {path}")


def guided(name: str, decoder: "Decoder", seed: int, seconds: float) -> None:
    """Reads what atheris makes, led by the lines that run; it ends the process with its own report."""
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix="absfin-corpus-"))
    for number, example in enumerate(decoder.examples):
        (corpus / str(number)).write_bytes(example)
    limits = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=65536", "-timeout=10", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], str(corpus), *limits], decoder.try_on)
    atheris.Fuzz()


def _known(*, is_guided: bool) -> "Mapping[str, Decoder]":
    if is_guided:
        import atheris

        with atheris.instrument_imports(include=list(LED_BY)):
            from tests.fuzzing.decoders import decoders
    else:
        from tests.fuzzing.decoders import decoders
    return decoders()


def main() -> int:
    """Ends with status 1 where anything was found."""
    known = _known(is_guided="--guided" in sys.argv)
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz-decoders",
        description="Reads changed CSV, Parquet, JSON, page tokens, checkpoints and states: each is read or refused.",
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs (default 1)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each decoder (default 20)")
    parser.add_argument("--only", choices=list(known), action="append", help="this decoder; may be repeated")
    parser.add_argument(
        "--guided", action="store_true", help="let atheris look for new lines (group fuzz); one decoder"
    )
    parser.add_argument("--folder", type=Path, help="where wrong inputs are saved (default: a new one)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read one saved input again")
    given = parser.parse_args()
    chosen = {name: known[name] for name in given.only or known}
    if given.replay or given.guided:
        if len(chosen) != 1:
            parser.error("name one decoder with --only")
        [(name, decoder)] = chosen.items()
        if given.replay:
            decoder.try_on(given.replay.read_bytes())
            return 0
        guided(name, decoder, given.seed, given.seconds)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="absfin-fuzz-decoders-"))
    return int(sum(fuzz(*one, given.seed, given.seconds, folder) for one in chosen.items()) > 0)


if __name__ == "__main__":
    sys.exit(main())
