"""A run: requests to a real server from several threads, and what was found wrong."""

import base64
import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tests.fuzzing.answers import DETAILS_KEY, Answer, problems
from tests.fuzzing.contract import Method, methods
from tests.fuzzing.requests import Example, Request, Requests, documented
from tests.fuzzing.server import HealthWatch, Watched

THREADS = 4
DEADLINE_SECONDS = 3.0
STREAM_SECONDS = 1.5
LATE_SECONDS = 2.0
"""How long after its deadline a call may still be served."""

MEDIAN_HEALTH_SECONDS = 0.25
SLOWEST_HEALTH_SECONDS = 1.0
GROWTH_BYTES = 30 << 20
NAME = re.compile(r"^([A-Za-z]+/)[A-Za-z0-9_-]{1,64}$")
REQUEST_ID = "x-request-id"


@dataclass(frozen=True)
class Finding:
    """A request whose answer is wrong, why, and what the server's log says of it."""

    index: int
    request: Request
    code: str
    problem: str
    trace: str = ""

    def as_json(self) -> str:
        """What `scripts/fuzz --replay` reads."""
        messages = [base64.b64encode(data).decode() for data in self.request.messages]
        stated = {"method": self.request.method.name, "problem": self.problem, "code": self.code, "trace": self.trace}
        return json.dumps({**stated, "kind": self.request.kind, "messages": messages}, indent=1)


@dataclass
class Report:
    """What a run has found."""

    sent: int = 0
    seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    by_method: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    health: tuple[float, float] = (0.0, 0.0)
    growth: Mapping[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings and not self.complaints


def call(channel: grpc.Channel, method: Method, messages: Sequence[bytes], request_id: str) -> Answer:
    """Sends the bytes of a request and waits for the end of its answer."""
    shape = f"{'stream' if method.streams_requests else 'unary'}_{'stream' if method.streams_responses else 'unary'}"
    stub = getattr(channel, shape)(method.path, request_serializer=None, response_deserializer=None)
    seconds = STREAM_SECONDS if method.streams_responses else DEADLINE_SECONDS
    sent = iter(messages) if method.streams_requests else (messages[0] if messages else b"")
    received: list[bytes] = []
    try:
        answer = stub(sent, timeout=seconds, metadata=((REQUEST_ID, request_id),))
        received.extend(answer if method.streams_responses else [answer])
    except grpc.RpcError as error:
        return _failed(tuple(received), error)
    return Answer(tuple(received), grpc.StatusCode.OK)


def _failed(received: tuple[bytes, ...], error: Any) -> Answer:
    trailers = tuple(error.trailing_metadata() or ())
    size = sum(len(key) + len(value) for key, value in trailers) + len(error.details() or "")
    packed = dict(trailers).get(DETAILS_KEY)
    details = Status.FromString(packed) if packed else None
    return Answer(received, error.code(), error.details() or "", details, size)


@dataclass
class Run:
    """Sends the requests of a seed to a server."""

    watched: Watched
    seed: int
    slack: float = 1.0  # so many times as late as usual an answer may be, where the machine does other things too
    report: Report = field(default_factory=Report)

    def run(self, count: int, most_seconds: float) -> Report:
        """Sends `count` requests, or as many as the time allows."""
        channels = [self.watched.channel() for _ in range(THREADS)]
        requests = Requests(self.seed, *self._prepared(channels[0]))
        self.watched.wait_until_loaded()
        start = time.monotonic()
        end = start + most_seconds
        with HealthWatch(self.watched) as health:
            half = self._half(requests, channels, range(count // 2), end)
            before = self.watched.memory()
            whole = self._half(requests, channels, range(count // 2, count), end)
            time.sleep(0.5)
            after = self.watched.memory()
        for channel in channels:
            channel.close()
        self.report.sent = half + whole
        self.report.seconds = time.monotonic() - start
        self.report.health = (health.median, health.slowest)
        self.report.growth = {name: after[name] - before[name] for name in after}
        self._judge()
        return self.report

    def _half(self, requests: Requests, channels: list[grpc.Channel], indices: range, end: float) -> int:
        waiting, lock, sent = iter(indices), threading.Lock(), Counter[str]()

        def serve(channel: grpc.Channel) -> None:
            while time.monotonic() < end:
                with lock:
                    index = next(waiting, None)
                if index is None:
                    return
                request = requests.request(index)
                answer = call(channel, request.method, request.messages, f"fuzz-{index}")
                found = sorted(set(problems(request.method, request.messages, answer)))
                with lock:
                    sent["all"] += 1
                    self._note(index, request, answer, found)

        with ThreadPoolExecutor(len(channels)) as threads:
            for done in [threads.submit(serve, channel) for channel in channels]:
                done.result()
        return sent["all"]

    def _note(self, index: int, request: Request, answer: Answer, found: Sequence[str]) -> None:
        code = answer.code.name
        self.report.codes[code] += 1
        self.report.by_method[request.method.name][code] += 1
        self.report.findings += [Finding(index, request, code, problem) for problem in found]

    def _prepared(self, channel: grpc.Channel) -> tuple[dict[str, list[str]], frozenset[str]]:
        """Names of things that the documented calls have stored, and the methods that are not built."""
        names: dict[str, list[str]] = defaultdict(list)
        for number, example in enumerate(documented()):
            for name in _stored(channel, example, number):
                if (found := NAME.match(name)) and name not in names[found[1]]:
                    names[found[1]].append(name)
        unbuilt = (m.path for m in methods() if "METHOD_NOT_BUILT" in _reasons(call(channel, m, [b""], "probe")))
        return dict(names), frozenset(unbuilt)

    def _judge(self) -> None:
        """Adds what only the log and the clock know."""
        report, complain = self.report, self.report.complaints.append
        traces = {}
        latest = DEADLINE_SECONDS + LATE_SECONDS * self.slack
        for line in self.watched.lines():
            request_id = str(line.get("request_id", ""))
            if line.get("level") == "error":
                traces[request_id] = str(line.get("exception") or line.get("message"))
                if not request_id.startswith("fuzz-"):
                    complain(f"logged: {json.dumps(line)[-2000:]}")
            if request_id.startswith("fuzz-") and line.get("duration_ms", 0) > 1e3 * latest:
                complain(f"{request_id} {line.get('method')} was served for {line['duration_ms'] / 1e3:.1f} s")
        report.findings[:] = [
            Finding(one.index, one.request, one.code, one.problem, traces.get(f"fuzz-{one.index}", ""))
            for one in report.findings
        ]
        median, slowest = report.health
        if median > MEDIAN_HEALTH_SECONDS * self.slack or slowest > SLOWEST_HEALTH_SECONDS * self.slack:
            complain(f"health was answered in {median:.3f} s by the median, {slowest:.3f} s at worst")
        for name, grown in report.growth.items():
            if grown > GROWTH_BYTES:
                complain(f"the memory of {name} grew by {grown >> 20} MiB in the second half")


def _stored(channel: grpc.Channel, example: Example, number: int) -> Iterator[str]:
    answer = call(channel, example.method, [m.SerializeToString() for m in example.messages], f"example-{number}")
    for data in answer.messages:
        yield from re.findall(r"[A-Za-z]+/[A-Za-z0-9_-]{5,64}", data.decode("latin-1"))


def _reasons(answer: Answer) -> list[str]:
    info, found = ErrorInfo(), []
    for detail in answer.details.details if answer.details else ():
        if detail.Unpack(info):
            found.append(info.reason)
    return found


def saved(report: Report, folder: Path) -> list[Path]:
    """Writes each finding into a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(report.findings):
        path = folder / f"{one.index:06d}-{number}.json"
        path.write_text(one.as_json())
        paths.append(path)
    return paths


def loaded(path: Path) -> Request:
    """A request that was saved."""
    stated = json.loads(path.read_text())
    method = next(one for one in methods() if one.name == stated["method"])
    return Request(method, tuple(base64.b64decode(data) for data in stated["messages"]), stated["kind"])
