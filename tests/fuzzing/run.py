"""A run: requests to a real server from several callers, and what was found wrong."""

import base64
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from absfinance.v1.portfolio_service_pb2 import DeletePortfolioRequest, ListPortfoliosRequest
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from google.rpc.error_details_pb2 import ErrorInfo

from tests.fuzzing.answers import Answer
from tests.fuzzing.callers import DEADLINE_SECONDS, Callers, call, processes, threads
from tests.fuzzing.contract import methods
from tests.fuzzing.requests import Example, Request, Requests, documented
from tests.fuzzing.server import HealthWatch, Watched

LATE_SECONDS = 2.0
"""How long after its deadline a call may still be served."""

MEDIAN_HEALTH_SECONDS = 0.25
SLOWEST_HEALTH_SECONDS = 1.0
GROWTH_BYTES = 30 << 20
PORTFOLIOS = "portfolios/"
MOST_LISTED = 1000
NAME = re.compile(r"^([A-Za-z]+/)[A-Za-z0-9_-]{1,64}$")


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


@dataclass
class Run:
    """Sends the requests of a seed to a server."""

    watched: Watched
    seed: int
    light: bool = False  # most requests are small and refused
    callers: int = 0  # processes that call; 0: threads of this one
    slack: float = 1.0  # so many times as late as usual an answer may be, where the machine does other things too
    report: Report = field(default_factory=Report)

    def run(self, count: int, most_seconds: float) -> Report:
        """Sends `count` requests, or as many as the time allows."""
        with self.watched.channel() as channel:
            requests = Requests(self.seed, *self._prepared(channel), light=self.light)
        self.watched.wait_until_loaded()
        address = self.watched.address
        called = processes(address, requests, self.callers) if self.callers else threads(address, requests)
        with called as callers:
            start = time.monotonic()
            end = start + most_seconds
            with HealthWatch(self.watched) as health:
                # By time where that ends the run: the second half is the one whose memory must not grow.
                self._ask(callers, requests, range(count // 2), start + most_seconds / 2)
                before = self._memory(requests.names)
                self._ask(callers, requests, range(count // 2, count), end)
                after = self._memory(requests.names)
        self.report.seconds = time.monotonic() - start
        self.report.health = (health.median, health.slowest)
        self.report.growth = {name: after[name] - before[name] for name in after}
        self._judge()
        return self.report

    def _memory(self, prepared: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Of the server at rest, without the portfolios of the run: the server watches each that is stored.

        What is left of them is a leak, and what they need while they are there is none.
        """
        with self.watched.channel() as channel:
            remove_portfolios(channel, kept=prepared.get(PORTFOLIOS, ()))
        self.watched.wait_until_idle()
        return self.watched.memory()

    def _ask(self, callers: Callers, requests: Requests, indices: range, end: float) -> None:
        report = self.report
        for asked in callers(indices, end):
            for (method, code), number in asked.codes.items():
                report.sent += number
                report.codes[code] += number
                report.by_method[method][code] += number
            # A request is made again from its index: only what is wrong is kept.
            report.findings += [
                Finding(index, requests.request(index), code, problem) for index, code, problem in asked.wrong
            ]

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


def remove_portfolios(channel: grpc.Channel, kept: Collection[str]) -> int:
    """Deletes all stored portfolios but some; how many that were."""
    portfolios, names, token = PortfolioServiceStub(channel), [], ""
    while True:
        asked = ListPortfoliosRequest(page_size=MOST_LISTED, page_token=token)
        page = portfolios.ListPortfolios(asked, timeout=DEADLINE_SECONDS)
        names += [one.name for one in page.portfolios if one.name not in kept]
        if not (token := page.next_page_token):
            break
    for name in names:
        portfolios.DeletePortfolio(DeletePortfolioRequest(name=name), timeout=DEADLINE_SECONDS)
    return len(names)


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
