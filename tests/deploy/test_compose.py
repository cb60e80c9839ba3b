"""The compose files: loaded as docker compose does, containers without rights, and settings that start a server."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.settings import _OPTIONS, Settings, WrongSetting
from tests.conftest import ROOT
from tests.deploy.conftest import Compose, services

FILES = sorted(path.name for path in ROOT.glob("compose*.yaml"))
PUBLISHED = ("compose.published.yaml", "compose.ray.yaml")
VARIABLES = {one.variable for one in _OPTIONS.values()}
OF_THE_IMAGE = dict(re.findall(r"\b(ABSFIN_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))
# Of the containers beside the server, with --profile supabase.
OF_SUPABASE = {"POSTGRES_PASSWORD", "JWT_SECRET"}
OURS = {"server", "head", "node"}


def settings_of(server: dict[str, Any], folder: Path) -> Settings:
    """What the server in a container reads, but for the folder of its data and the address of a cluster."""
    given = {name: value for name, value in server["environment"].items() if value is not None}
    assert given.pop("ABSFIN_DATA_DIR") == OF_THE_IMAGE["ABSFIN_DATA_DIR"]
    assert given.pop("ABSFIN_EXECUTOR", "ray") == "ray"
    given.pop("ABSFIN_RAY_ADDRESS", None)
    return Settings.read(["--data-dir", str(folder)], {**OF_THE_IMAGE, **given})


def test_there_is_a_file_for_each_way() -> None:
    assert FILES == ["compose.published.yaml", "compose.ray.yaml", "compose.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_docker_compose_takes_them(compose: Compose, name: str) -> None:
    found = services(compose(name, ABSFIN_AUTH="keys"))
    for service, each in found.items():
        image = each["image"]
        assert ":" in image, service
        assert not image.endswith(":latest"), service
    assert {"server"} <= set(found)


@pytest.mark.parametrize("name", FILES)
def test_what_others_wait_for_says_whether_it_is_healthy(compose: Compose, name: str) -> None:
    """Docker compose ends at once where a container has no check and another one waits for it."""
    found = services(compose(name, ABSFIN_AUTH="keys"))
    awaited = {
        other
        for each in found.values()
        for other, on in (each.get("depends_on") or {}).items()
        if on["condition"] == "service_healthy"
    }
    assert ("head" in awaited) is ("ray" in name)
    for other in awaited:
        check = found[other].get("healthcheck") or {}
        assert check.get("test"), other
        assert not check.get("disable"), other


def test_a_file_that_is_wrong_is_noticed(compose: Compose, tmp_path: Path) -> None:
    wrong = yaml.safe_load((ROOT / "deploy/compose/server.yaml").read_text())
    wrong["services"]["server"]["network_mod"] = "host"
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    done = compose(str(tmp_path / "wrong.yaml"))
    assert done.returncode != 0
    assert "network_mod" in done.stderr


@pytest.mark.parametrize("name", FILES)
def test_our_containers_have_no_rights(compose: Compose, name: str) -> None:
    for service, each in services(compose(name, ABSFIN_AUTH="keys")).items():
        if service not in OURS:
            continue
        assert each["user"] == "10001", service
        assert each["read_only"] is True, service
        assert each["cap_drop"] == ["ALL"], service
        assert each["security_opt"] == ["no-new-privileges:true"], service
        assert not each.get("privileged"), service
        assert "/tmp" in each["tmpfs"], service  # noqa: S108  # of the container


@pytest.mark.parametrize("name", FILES)
def test_a_server_gets_every_setting_and_nothing_else(compose: Compose, name: str) -> None:
    given = {variable: f"of-{variable}" for variable in VARIABLES}
    server = services(compose(name, **given, **dict.fromkeys(OF_SUPABASE, "hush")))["server"]
    assert set(server["environment"]) == VARIABLES
    fixed = {variable for variable, value in server["environment"].items() if value != given[variable]}
    listens = {"ABSFIN_LISTEN"} if name in PUBLISHED else set()
    cluster = {"ABSFIN_EXECUTOR", "ABSFIN_RAY_ADDRESS"} if "ray" in name else set()
    assert fixed == {"ABSFIN_DATA_DIR"} | listens | cluster


def test_only_settings_and_passwords_of_supabase_are_asked_for() -> None:
    for name in (*FILES, "deploy/compose/server.yaml"):
        asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / name).read_text()))
        assert asked <= VARIABLES | OF_SUPABASE, name


def test_without_authentication_nothing_is_published(compose: Compose, tmp_path: Path) -> None:
    server = services(compose("compose.yaml"))["server"]
    assert server["network_mode"] == "host"
    assert "ports" not in server
    settings = settings_of(server, tmp_path)
    assert settings.listen == "127.0.0.1:50051"
    assert settings.identity.methods == ()


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("method", ["keys", "jwt"])
def test_with_authentication_the_port_is_published(compose: Compose, tmp_path: Path, name: str, method: str) -> None:
    secret = {"ABSFIN_JWT_SECRET": "s" * 32} if method == "jwt" else {}
    server = services(compose(name, ABSFIN_AUTH=method, **secret))["server"]
    settings = settings_of(server, tmp_path)
    assert settings.identity.methods == (method,)
    (port,) = server["ports"]
    assert settings.listen == f"0.0.0.0:{port['target']}"
    assert port["published"] == "50051"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_server_without_authentication_is_refused(compose: Compose, tmp_path: Path, name: str) -> None:
    for absent in (compose(name), compose(name, ABSFIN_AUTH="")):
        assert absent.returncode != 0
        assert "ABSFIN_AUTH is missing a value: say in .env how callers are known" in absent.stderr
    server = services(compose(name, ABSFIN_AUTH="none"))["server"]
    with pytest.raises(WrongSetting, match=r"--listen \(ABSFIN_LISTEN\) must be a loopback address"):
        settings_of(server, tmp_path)


def test_containers_beside_the_server_are_for_this_machine_alone(compose: Compose) -> None:
    found = services(compose("compose.yaml"))
    others = {name: each for name, each in found.items() if name != "server"}
    assert {each["profiles"][0] for each in others.values()} == {"supabase"}
    assert {port["host_ip"] for each in others.values() for port in each.get("ports", [])} == {"127.0.0.1"}


def test_a_cluster_is_closed_and_its_image_has_ray(compose: Compose) -> None:
    found = services(compose("compose.ray.yaml", ABSFIN_AUTH="keys"))
    assert {name for name, each in found.items() if "ports" in each} == {"server"}
    assert {each["build"]["args"]["RAY"] for each in found.values()} == {"1"}
    assert len({each["image"] for each in found.values()}) == 1
    assert found["server"]["environment"]["ABSFIN_RAY_ADDRESS"] == "head:6379"
    assert "--num-cpus=0" in found["server"]["entrypoint"][-1]
    assert {name for name, each in found.items() if "head" in (each.get("depends_on") or {})} == {"server", "node"}


def test_options_of_ray_are_those_that_it_has(compose: Compose) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    found = services(compose("compose.ray.yaml", ABSFIN_AUTH="keys"))
    texts = [" ".join(each.get("command") or each.get("entrypoint") or []) for each in found.values()]
    asked = {option for text in texts for option in re.findall(r"--[a-z-]+", text)}
    from ray.scripts.scripts import start

    assert asked <= {option for one in start.params for option in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("name", FILES)
def test_a_drain_has_its_time(compose: Compose, tmp_path: Path, name: str) -> None:
    server = services(compose(name, ABSFIN_AUTH="keys"))["server"]
    assert settings_of(server, tmp_path).drain_seconds + 10 < float(server["stop_grace_period"].removesuffix("s"))


def test_volumes_are_where_the_image_writes(compose: Compose) -> None:
    server = services(compose("compose.yaml"))["server"]
    image = (ROOT / "Dockerfile").read_text()
    targets = {each["target"] for each in server["volumes"]}
    assert targets == {OF_THE_IMAGE["ABSFIN_DATA_DIR"], *re.findall(r"XDG_CACHE_HOME=(\S+)", image)}
