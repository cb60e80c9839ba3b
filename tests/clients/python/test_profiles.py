"""Profiles of the command line: flags count before variables, variables before the profile."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from absfin.cli.profiles import Profile, WrongProfile, read_profile

from tests.clients.python.command_line import run_command
from tests.conftest import RunningServer
from tests.server.identity.issuer import ISSUER, Issuer, running


@dataclass(frozen=True)
class Known:
    """A server that knows two users by their tokens, and one portfolio of each."""

    server: RunningServer
    ann: str
    bob: str


def absfin(*arguments: str, status: int = 0, **variables: str) -> str:
    """Standard output, or standard error of a command that must fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ABSFIN_")}
    environment = {**kept, "COLUMNS": "500", "TERM": "dumb", **variables}
    done = run_command(arguments, environment)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def known(start_server: Callable[..., RunningServer]) -> Iterator[Known]:
    with running(Issuer()) as issuer:
        flags = ("--auth", "jwt", "--jwks-url", issuer.url, "--jwt-issuer", ISSUER, "--workers", "1")
        server = start_server(*flags)
        roles = {"ann": "admin", "bob": "trader"}
        ann, bob = (issuer.token(sub=name, app_metadata={"absfin_role": role}) for name, role in roles.items())
        for token, name in ((ann, "of-ann"), (bob, "of-bob")):
            absfin("portfolio", "create", name, "--cash", "1", "--server", server.address, ABSFIN_TOKEN=token)
        yield Known(server, ann, bob)


@pytest.fixture
def config(known: Known, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f"""
        [profiles.ann]
        target = "{known.server.address}"
        token = "{known.ann}"

        [profiles.elsewhere]
        target = "127.0.0.1:1"

        [profiles.token]
        token = "{known.bob}"
        """
    )
    path.chmod(0o600)
    return path


LIST = ("portfolio", "list")


def test_a_profile_has_the_server_and_the_token(known: Known, config: Path, tmp_path: Path) -> None:
    assert absfin("--profile", "ann", "--config", str(config), *LIST) == "portfolios/of-ann\n"
    assert absfin(*LIST, ABSFIN_PROFILE="ann", ABSFIN_CONFIG=str(config)) == "portfolios/of-ann\n"
    home = tmp_path / "home"
    (home / ".config/absfin").mkdir(parents=True)
    config.rename(home / ".config/absfin/config.toml")
    assert absfin("--profile", "ann", *LIST, HOME=str(home)) == "portfolios/of-ann\n"
    both = absfin("--profile", "ann", *LIST, "--all", HOME=str(home)).splitlines()
    assert both == ["users/ann\tportfolios/of-ann", "users/bob\tportfolios/of-bob"]


def test_the_server_of_a_profile_is_that_of_one_command(known: Known, config: Path) -> None:
    """Also where tests run commands in their own process."""
    before = dict(os.environ)
    absfin("--profile", "ann", "--config", str(config), *LIST)
    assert dict(os.environ) == before


def test_variables_count_before_the_profile_and_flags_before_both(known: Known, config: Path) -> None:
    given = {"ABSFIN_PROFILE": "ann", "ABSFIN_CONFIG": str(config)}
    assert absfin(*LIST, ABSFIN_TOKEN=known.bob, **given) == "portfolios/of-bob\n"
    assert absfin("--token", known.ann, *LIST, ABSFIN_TOKEN=known.bob, **given) == "portfolios/of-ann\n"
    assert absfin("--profile", "token", *LIST, "--server", known.server.address, **given) == "portfolios/of-bob\n"
    away = {**given, "ABSFIN_PROFILE": "elsewhere", "ABSFIN_TOKEN": known.ann}
    assert absfin(*LIST, ABSFIN_SERVER=known.server.address, **away) == "portfolios/of-ann\n"
    assert absfin(*LIST, "--server", known.server.address, **{**away, "ABSFIN_SERVER": "127.0.0.1:2"})
    assert "UNAVAILABLE" in absfin(*LIST, status=1, **away)


def test_the_token_of_a_profile_goes_to_its_server_alone(known: Known, config: Path) -> None:
    told = absfin("--profile", "ann", "--config", str(config), *LIST, "--server", "localhost:1", status=2)
    assert f"the token of the profile ann is for {known.server.address}" in told
    assert known.ann not in told


WRONG = {
    "no such profile": ("[profiles.x]", "p", "no table [profiles.p]; it has x"),
    "no profiles": ("", "p", "it has no profiles"),
    "an unknown key": ('[profiles.p]\nserver = "x"', "p", "profiles.p.server is unknown; it can be target"),
    "a number": ("[profiles.p]\ntarget = 5", "p", "profiles.p.target must be a text"),
    "a text for a boolean": ('[profiles.p]\ntls = "yes"', "p", "profiles.p.tls must be a boolean"),
    "no table": ("profiles = 5", "p", "it has no profiles"),
    "no TOML": ("[profiles", "p", "is no TOML"),
}


@pytest.mark.parametrize(("content", "name", "rule"), WRONG.values(), ids=WRONG)
def test_profiles_that_are_refused(tmp_path: Path, content: str, name: str, rule: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(content)
    with pytest.raises(WrongProfile) as raised:
        read_profile(name, path)
    assert rule in str(raised.value)
    assert "config.toml" in absfin("--profile", "p", "--config", str(tmp_path / "none-config.toml"), *LIST, status=2)


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[profiles.p]\ntoken = "secret"\n[profiles.q]\ntarget = "x:1"')
    path.chmod(0o640)
    with pytest.raises(WrongProfile, match="chmod 600") as raised:
        read_profile("p", path)
    assert "secret" not in str(raised.value)
    assert read_profile("q", path) == Profile("q", "x:1"), "what is no secret may be read"


def test_the_path_of_an_authority_is_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[profiles.p]\nca = "ca.pem"\ntls = true\n[profiles.q]\nca = "/etc/ca.pem"')
    assert read_profile("p", path) == Profile("p", "", "", tls=True, ca=tmp_path / "ca.pem")
    assert read_profile("q", path).ca == Path("/etc/ca.pem")
    missing = absfin("--profile", "p", "--config", str(path), *LIST, status=2)
    assert "ca.pem cannot be read" in missing
