"""What callers were told: writes that were acknowledged, and jobs that were accepted."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Kept by all callers of a run; what is in it must be in the store at its end."""

    values: dict[str, set[float]] = field(default_factory=dict)
    """By portfolio, the cash it may have: one value once a write was acknowledged, more while one was not answered."""

    stored: set[str] = field(default_factory=set)
    """Portfolios that a write was acknowledged of, or that were read: the others may never have come to be."""

    jobs: dict[str, str] = field(default_factory=dict)
    """Names of accepted jobs, by the id of their request."""

    asked: dict[str, int] = field(default_factory=dict)
    """Requests for jobs that were sent, answered or not, with the kind of job."""

    writes: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sending(self, portfolio: str, cash: float) -> None:
        """A write is on its way: from now on the store may have it."""
        with self._lock:
            self.values.setdefault(portfolio, set()).add(cash)

    def acknowledged(self, portfolio: str, cash: float) -> None:
        """A write was answered with OK: the store has this, and nothing older."""
        with self._lock:
            self.values[portfolio] = {cash}
            self.stored.add(portfolio)
            self.writes += 1

    def read(self, portfolio: str, cash: float) -> None:
        """What the store has now."""
        with self._lock:
            self.stored.add(portfolio)
            if cash not in self.values[portfolio]:
                self.complaints.append(f"{portfolio} has {cash}, of {sorted(self.values[portfolio])}")

    def asking(self, request_id: str, kind: int) -> None:
        """A job is asked for."""
        with self._lock:
            self.asked[request_id] = kind

    def accepted(self, request_id: str, name: str) -> None:
        """A job was accepted; the same request always gets the same one."""
        with self._lock:
            if self.jobs.setdefault(request_id, name) != name:
                self.complaints.append(f"{request_id} is {self.jobs[request_id]} and {name}: done twice")

    def answered(self, code: str) -> None:
        """A call ended so."""
        with self._lock:
            self.codes[code] += 1

    def complain(self, text: str) -> None:
        """Something is wrong."""
        with self._lock:
            self.complaints.append(text)

    def compare(self, stored: Mapping[str, float], listed: list[str]) -> None:
        """Complains of what is lost, and of jobs that nobody asked for, once every request is answered."""
        for portfolio, values in self.values.items():
            if portfolio not in stored:
                self.complaints.extend([f"{portfolio} is lost"] if portfolio in self.stored else ())
            elif stored[portfolio] not in values:
                self.complaints.append(f"{portfolio} has {stored[portfolio]}, of {sorted(values)}")
        names = Counter(listed)
        for request_id, name in self.jobs.items():
            if names[name] != 1:
                self.complaints.append(f"{name} of {request_id} is listed {names[name]} times")
        if unknown := set(names) - set(self.jobs.values()):
            self.complaints.append(f"jobs that nobody asked for, or doubled: {sorted(unknown)[:5]}")
