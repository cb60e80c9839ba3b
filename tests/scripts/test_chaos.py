"""The ledger of scripts/chaos notices what is lost or doubled, and its relay cuts connections."""

import socket

from scripts.chaos_run.callers import job
from scripts.chaos_run.ledger import Ledger
from scripts.chaos_run.proxy import Relay


def test_an_acknowledged_write_that_is_lost_or_old_is_noticed() -> None:
    ledger = Ledger()
    for name in ("a", "b", "c"):
        ledger.sending(name, 1.0)
        ledger.acknowledged(name, 1.0)
    ledger.sending("b", 2.0)
    ledger.acknowledged("b", 2.0)
    ledger.sending("c", 3.0)  # not answered: stored or not
    ledger.sending("d", 1.0)  # never answered: it may not have come to be
    for stored in ({"a": 1.0, "b": 2.0, "c": 1.0}, {"a": 1.0, "b": 2.0, "c": 3.0}):
        ledger.compare(stored, [])
        assert ledger.complaints == []
    ledger.compare({"b": 1.0, "c": 4.0}, [])
    assert ledger.complaints == ["a is lost", "b has 1.0, of [2.0]", "c has 4.0, of [1.0, 3.0]"]


def test_a_job_that_is_lost_or_doubled_is_noticed() -> None:
    ledger = Ledger()
    for request_id, name in (("1", "x"), ("2", "y"), ("2", "y")):
        ledger.accepted(request_id, name)
    ledger.compare({}, ["y", "x"])
    assert ledger.complaints == []
    ledger.compare({}, ["y", "z"])
    assert ledger.complaints == ["x of 1 is listed 0 times", "jobs that nobody asked for, or doubled: ['z']"]
    ledger.accepted("1", "z")
    assert ledger.complaints[2:] == ["1 is x and z: done twice"]


def test_a_read_of_what_nobody_wrote_is_noticed() -> None:
    ledger = Ledger()
    ledger.sending("a", 1.0)
    ledger.read("a", 1.0)
    ledger.read("a", 2.0)
    assert ledger.complaints == ["a has 2.0, of [1.0]"]


def test_jobs_of_one_kind_are_the_same_but_for_the_id() -> None:
    first, second = job(0, "1"), job(0, "2")
    assert (first.request_id, second.request_id) == ("1", "2")
    first.request_id = second.request_id
    assert first == second
    assert job(1, "2") != second


def test_the_relay_passes_bytes_on_until_it_cuts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        relay = Relay(target.getsockname()[1])
        host, _, port = relay.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            accepted, _ = target.accept()
            with accepted:
                accepted.settimeout(10)
                caller.sendall(b"there")
                assert accepted.recv(100) == b"there"
                accepted.sendall(b"back")
                assert caller.recv(100) == b"back"
                assert relay.cut() == 1
                assert caller.recv(100) == b""
        relay.close()
