"""The client's own tests in Go, and what the ecosystem expects of a module."""

from tests.clients.go.conftest import GoClient


def test_its_own_tests(go_client: GoClient) -> None:
    printed = go_client.run("go", "test", "-trimpath", ".", "./conformance", seconds=300.0)
    assert printed.count("ok") == 2, printed


def test_it_is_formatted_and_vetted(go_client: GoClient) -> None:
    assert go_client.run("gofmt", "-l", ".") == ""
    go_client.run("go", "vet", "-trimpath", "./...", seconds=300.0)
