"""Runs the calls that Markdown pages show and compares the outputs shown with what the server really answers.

    python scripts/documented_calls.py ADDRESS --tool grpcurl README.md            # compare
    python scripts/documented_calls.py ADDRESS --tool grpcurl --write README.md    # put the real outputs in

A call is a block of `sh` with one grpcurl command, followed by a block of `json` with its output. An output may be
shortened: an object that ends with `...` has more fields than it shows, and what it shows is compared. The server must
be fresh and hold the sample data. With `--tool buf` the same requests go through `buf curl`, and with `--tool curl` as
JSON of Connect to the address where the server serves browsers.
"""

import argparse
import base64
import json
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.web.methods import all_methods

CALL = re.compile(
    r"```sh\n((?:(?:etag|key)=[^\n]*\n)?grpcurl [^`]*?)\n```\n+"
    r"(?:<details><summary>[^<]*</summary>\n+)?```json\n([^`]*?)\n```(?:\n+</details>)?"
)
FRAME = struct.Struct(">BI")
"""What stands before a message of a stream: flags and its length."""

LONG = 25
"""Outputs of more lines are folded."""

ETAG = re.compile(r'"etag": ?"([^"]+)"')
KEY = re.compile(r'"name": ?"(\$key|apiKeys/[^"]+)"')
NAMES = re.compile(r"(optimizations|backtests|reallocations|portfolios|apiKeys)/[A-Za-z0-9_-]{5,}")
WIDTH = 140
MORE = "..."
"""Ends an object of which some fields are not shown."""

VOLATILE = {
    *(
        "createTime",
        "updateTime",
        "finishTime",
        "supersedeTime",
        "supersededBy",
        "eventTime",
        "solveDuration",
        "computeDuration",
        "eta",
    ),
    *("iterations", "inputFingerprint", "name", "epoch", "sequence", "oldestSequence", "etag", "secret", "revokeTime"),
}


@dataclass(frozen=True)
class Call:
    """A command as the page shows it."""

    text: str

    @property
    def words(self) -> list[str]:
        """The arguments of the command."""
        command = re.sub(r"^(?:etag|key)=.*\n", "", self.text)
        return shlex.split(command.replace("\\\n", " "))

    @property
    def method(self) -> str:
        """SERVICE/METHOD."""
        return self.words[-1]

    def data(self, names: dict[str, str]) -> str:
        """The messages of the request."""
        *options, _, _ = self.words
        data = options[options.index("-d") + 1] if "-d" in options else "{}"
        # The shell puts in the etag that it has just read; here it is the last one that the server gave.
        data = ETAG.sub(lambda found: f'"etag": "{names.get("etag", found[1])}"', data)
        return KEY.sub(lambda found: f'"name": "{names.get("key", found[1])}"', data)  # as with the etag

    def run(self, tool: str, address: str, names: dict[str, str]) -> tuple[str, str]:
        """What the call answers, and what is wrong where it fails."""
        if tool == "curl":
            return _over_http(f"{address}/{self.method}", self.data(names))
        command = self._command(tool, address, names)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)  # noqa: S603  # the page's own
        return done.stdout, (done.stderr or "failed") if done.returncode else ""

    def _command(self, tool: str, address: str, names: dict[str, str]) -> list[str]:
        """The command to run: this one, or the same request through `buf curl`."""
        data, method = self.data(names), self.method
        if tool == "grpcurl":
            return ["grpcurl", "-plaintext", "-d", data, address, method]
        buf = str(Path(sys.executable).with_name("buf"))
        wire = ["--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", "grpc-v1alpha"]
        return [buf, "curl", *wire, "-d", data, f"http://{address}/{method}"]


def _over_http(url: str, data: str) -> tuple[str, str]:
    """What curl gets for messages in JSON, and the error of Connect where there is one."""
    method = all_methods()[urlsplit(url).path]
    kind = "application/json" if method.is_unary else "application/connect+json"
    messages = [json.dumps(message).encode() for message in documents(data)]
    body = messages[0] if method.is_unary else b"".join(FRAME.pack(0, len(part)) + part for part in messages)
    command = ["curl", "--silent", "--show-error", "--data-binary", "@-", "--header", f"content-type: {kind}", url]
    done = subprocess.run(command, input=body, capture_output=True, timeout=120)  # noqa: S603  # as written here
    if done.returncode:
        return "", done.stderr.decode()
    if method.is_unary:
        answer = json.loads(done.stdout)
        return (done.stdout.decode(), "") if "code" not in answer else ("", done.stdout.decode())
    *answers, last = _frames(done.stdout)
    return "\n".join(answers), last if "error" in json.loads(last) else ""


def _frames(body: bytes) -> Iterator[str]:
    """The messages of a body, and the one that ends it."""
    start = 0
    while start < len(body):
        _, size = FRAME.unpack_from(body, start)
        start += FRAME.size + size
        yield body[start - size : start].decode()


def shown_documents(text: str) -> list[Any]:
    """The JSON values of an output on a page, which may be shortened."""
    return documents(re.sub(r"(?<=,)(\s*)\.\.\.(?=\s*})", rf'\1"{MORE}": "{MORE}"', text))


def documents(text: str) -> list[Any]:
    """The JSON values of a text, one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def compact(value: Any, indent: str = "") -> str:
    """JSON; what fits on a line stays on one."""
    line = json.dumps(value, ensure_ascii=False).replace(f'"{MORE}": "{MORE}"', MORE)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + compact(item, deeper) for item in value) + f"\n{indent}]"
    parts = [
        deeper + (MORE if key == MORE else f"{json.dumps(key)}: {compact(item, deeper)}") for key, item in value.items()
    ]
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


def numbers_of(array: dict[str, Any]) -> dict[str, Any]:
    """An array of the contract with its numbers instead of their bytes: another processor may round differently."""
    if array.get("dtype") != "DATA_TYPE_FLOAT64" or "data" not in array:
        return array
    data = base64.b64decode(array["data"])
    return array | {"data": list(struct.unpack(f"<{len(data) // 8}d", data))}


def shortened(real: Any, shown: Any) -> Any:
    """An output with the fields that the page shows, where the page shortens it."""
    if isinstance(shown, dict) and isinstance(real, dict):
        kept = [key for key in shown if key in real] if MORE in shown else list(real)
        parts = {key: shortened(real[key], shown.get(key)) for key in kept}
        return parts | {MORE: MORE} if MORE in shown else parts
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        return [shortened(a, b) for a, b in zip(real, shown, strict=True)]
    return real


def different(shown: Any, real: Any, path: str = "") -> str:
    """Where two outputs differ in what a reader relies on; empty if nowhere."""
    if isinstance(shown, dict) and isinstance(real, dict):
        # Whether there is a next page depends on what else the server holds.
        shown, real = ({k: v for k, v in side.items() if k != "nextPageToken"} for side in (shown, real))
        if MORE in shown:
            del shown[MORE]
            if not shown.keys() < real.keys():
                return f"{path}: {sorted(shown.keys() - real.keys()) or 'nothing is left out'}"
        elif shown.keys() != real.keys():
            return f"{path}: {sorted(shown.keys() ^ real.keys())}"
        shown, real = numbers_of(shown), numbers_of(real)
        parts = (different(shown[key], real[key], f"{path}.{key}") for key in shown if key not in VOLATILE)
        return next((part for part in parts if part), "")
    if isinstance(shown, list) and isinstance(real, list):
        if len(shown) != len(real):
            return f"{path}: {len(shown)} entries shown, {len(real)} real"
        parts = (different(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(shown, real, strict=True)))
        return next((part for part in parts if part), "")
    if isinstance(shown, float | int) and isinstance(real, float | int) and not isinstance(shown, bool):
        return "" if abs(shown - real) <= 1e-9 + 1e-6 * abs(real) else f"{path}: {shown} shown, {real} real"
    if isinstance(shown, str) and isinstance(real, str) and NAMES.fullmatch(shown) and NAMES.fullmatch(real):
        return ""  # each server gives its own names
    return "" if shown == real else f"{path}: {shown!r} shown, {real!r} real"


def check(page: Path, address: str, tool: str, write: bool) -> int:
    """Runs every call of a page; returns how many outputs are not true."""
    names: dict[str, str] = {}
    wrong = 0

    def run(found: re.Match[str]) -> str:
        nonlocal wrong
        call, shown = Call(found[1]), found[2]
        output, failure = call.run(tool, address, names)
        answers = documents(output)
        for etag in ETAG.finditer(output):
            names["etag"] = etag[1]
        for key in KEY.finditer(output):
            names["key"] = key[1]
        expected = shown_documents(shown)
        problem = failure or different(expected, answers)
        print(f"  {'differs' if problem else 'true   '} {call.method} {problem if not write else ''}".rstrip())
        wrong += bool(problem)
        if not write or failure:
            return found[0]
        written = "\n".join(map(compact, shortened(answers, expected)))
        block = f"```json\n{written}\n```"
        if written.count("\n") >= LONG:
            block = f"<details><summary>the answer</summary>\n\n{block}\n\n</details>"
        return f"```sh\n{found[1]}\n```\n\n{block}"

    text = page.read_text()
    if not CALL.search(text):
        print(f"{page} shows no call")
        return 1
    replaced = CALL.sub(run, text)
    if write:
        page.write_text(replaced)
        return 0
    return wrong


def main() -> None:
    """Ends with status 1 where an output is not what the server answers."""
    parser = argparse.ArgumentParser(description="Compare documented calls with the answers of a server.")
    parser.add_argument("address")
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--tool", choices=("grpcurl", "buf", "curl"), default="buf")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    wrong = sum(check(page, given.address, given.tool, given.write) for page in given.pages)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
