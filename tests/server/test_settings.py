"""A wrong setting stops the start with one clear line that names flag and variable."""

import base64
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from psutil import virtual_memory

from server.ports.identity import IdentitySettings, Role
from server.settings import _OPTIONS, Settings, WrongSetting

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text()


def read(folder: Path, *arguments: str, **environment: str) -> Settings:
    return Settings.read(arguments, {"ABSFIN_DATA_DIR": str(folder), **environment})


def test_defaults(tmp_path: Path) -> None:
    settings = Settings.read([], {"XDG_DATA_HOME": str(tmp_path)})
    assert settings.listen == "127.0.0.1:50051"
    assert settings.data_dir == tmp_path / "abs-finance"
    assert settings.workers >= 1
    assert settings.tls is None
    assert (settings.max_storage_bytes, settings.min_free_bytes, settings.retention_days) == (0, 64 << 20, 0.0)
    assert (settings.max_queued_jobs, settings.max_running_jobs, settings.max_job_seconds) == (1000, 0, 0.0)
    assert (settings.short_job_seconds, settings.job_slice_seconds) == (60.0, 30.0)


def test_a_flag_wins_over_the_environment(tmp_path: Path) -> None:
    assert read(tmp_path, "--workers", "3", ABSFIN_WORKERS="7").workers == 3
    assert read(tmp_path, ABSFIN_WORKERS="7").workers == 7


def test_addresses_of_strategy_services(tmp_path: Path) -> None:
    assert read(tmp_path).strategy_targets == ()
    assert read(tmp_path, ABSFIN_STRATEGY_TARGETS="").strategy_targets == ()
    given = read(tmp_path, ABSFIN_STRATEGY_TARGETS="models.example:50051, [::1]:1,")
    assert given.strategy_targets == ("models.example:50051", "[::1]:1")
    schemes = (
        "unix:80",
        "google-c2p-experimental:80",
        "dns:80",
        "ipv4:10.0.0.1:80",
        "unix:///run/x:80",
        "dns:a:80",
        "vsock:2:80",
        "UNIX:80",
    )
    others = ("u@models.example:80", "::1:80", "a b:1", "a\\b:1", "a?b:1", "a:-1", "[g]:1")
    for wrong in ("models.example", "models.example:0", "models.example:65536", ":1", "a:1,b", *schemes, *others):
        with pytest.raises(WrongSetting, match=r"--strategy-targets \(ABSFIN_STRATEGY_TARGETS\) must be host:port"):
            read(tmp_path, "--strategy-targets", wrong)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:1", "[::1]:65535", "127.8.9.1:80", "unix:/tmp/x"])
def test_loopback_addresses(tmp_path: Path, address: str) -> None:
    assert read(tmp_path, "--listen", address).listen == address


def token_of(role: str) -> str:
    """A key of the old kind, as a project signs it; the signature is not looked at here."""
    claims = base64.urlsafe_b64encode(json.dumps({"role": role}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"


ANON = token_of("anon")
PROJECT = ("--storage", "supabase", "--supabase-url", "https://x.supabase.co/", "--supabase-key", "sb_secret_abc")


def test_a_project_with_either_kind_of_key(tmp_path: Path) -> None:
    new = read(tmp_path, *PROJECT)
    assert (new.storage, new.supabase_url, new.supabase_key) == (
        "supabase",
        "https://x.supabase.co",
        "sb_secret_abc",
    )
    old = token_of("service_role")
    assert (
        read(tmp_path, ABSFIN_STORAGE="supabase", SUPABASE_URL="http://127.0.0.1:1", SUPABASE_KEY=old).supabase_key
        == old
    )
    assert new.realtime_url == "https://x.supabase.co/realtime/v1"
    assert read(tmp_path, *PROJECT, "--realtime-url", "wss://y:1/z/").realtime_url == "wss://y:1/z"
    assert read(tmp_path, *PROJECT, ABSFIN_REALTIME_URL="off").realtime_url == ""
    # Variables that other programs of the project use do not disturb a server that does not.
    assert read(tmp_path, SUPABASE_URL="nonsense", SUPABASE_KEY=ANON).supabase_url == ""
    assert read(tmp_path, ABSFIN_REALTIME_URL="nonsense").realtime_url == ""


WRONG = {
    "not loopback": (("--listen", "0.0.0.0:50051"), "--listen (ABSFIN_LISTEN) must be a loopback address"),
    "no port": (("--listen", "localhost"), "--listen (ABSFIN_LISTEN) must be host:port"),
    "port too large": (("--listen", "localhost:65536"), "port from 0 to 65535"),
    "supabase without a project": (("--storage", "supabase"), "--supabase-url (SUPABASE_URL) must be given"),
    "a project without a key": (PROJECT[:-2], "--supabase-key (SUPABASE_KEY) must be given with --storage supabase"),
    "a project that is no address": ((*PROJECT[:2], "--supabase-url", "ftp://x"), "must be an address such as https"),
    "a project with a path to ask": ((*PROJECT[:2], "--supabase-url", "https://x/?a=b"), "must be an address such as"),
    "a port that is none": ((*PROJECT[:2], "--supabase-url", "https://x:99999"), "must be an address such as"),
    "a key for browsers": ((*PROJECT[:-1], "sb_publishable_abc"), "this is the publishable one"),
    "the key of anon": ((*PROJECT[:-1], ANON), "this is that of the role 'anon'"),
    "a key that is none": ((*PROJECT[:-1], "secret"), "must be the secret key of the project"),
    "a token that is none": ((*PROJECT[:-1], "a.!.c"), "must be the secret key of the project"),
    "a token of nobody": ((*PROJECT[:-1], "a.W10.c"), "must be the secret key of the project"),
    "two lines of key": ((*PROJECT[:-1], "sb_secret_a\nb"), "must be the secret key of the project"),
    "a key with the end of its file": (
        (*PROJECT[:-1], token_of("service_role") + "\n"),
        "has a space, the end of a line",
    ),
    "a project beside SQLite": (("--supabase-url", "https://x"), "cannot be used with --storage embedded"),
    "a Realtime that is no address": (
        (*PROJECT, "--realtime-url", "on"),
        "--realtime-url (ABSFIN_REALTIME_URL) must be",
    ),
    "a Realtime of a file": ((*PROJECT, "--realtime-url", "file:///x"), "must be off, or an address such as wss"),
    "a Realtime beside SQLite": (("--realtime-url", "wss://x"), "cannot be used with --storage embedded"),
    "jwt without keys": (("--auth", "jwt"), "--jwks-url (ABSFIN_JWKS_URL) must be given with --auth jwt"),
    "no way to know callers": (("--auth", "jwt,basic"), "--auth (ABSFIN_AUTH) must be none, or jwt, keys, mtls"),
    "none beside another": (("--auth", "none,keys"), "must be none, or jwt, keys, mtls"),
    "the same twice": (("--auth", "keys,keys"), "must be none, or jwt, keys, mtls"),
    "keys of a file": (("--jwks-url", "file:///etc/passwd"), "--jwks-url (ABSFIN_JWKS_URL) must be an address"),
    "keys of nowhere": (("--jwks-url", "https://"), "must be an address"),
    "a short secret": (("--jwt-secret", "x" * 31), "--jwt-secret (ABSFIN_JWT_SECRET) must have 32 bytes at least"),
    "mtls without tls": (("--auth", "mtls"), "--tls-client-ca (ABSFIN_TLS_CLIENT_CA) must be given with --auth mtls"),
    "perhaps anonymous": (("--allow-anonymous", "yes"), "--allow-anonymous (ABSFIN_ALLOW_ANONYMOUS) must be false or"),
    "half open": (("--health-access", "ajar"), "--health-access (ABSFIN_HEALTH_ACCESS) must be closed or open"),
    "a role that is none": (("--certificate-roles", "desk=boss"), "must be NAME=ROLE, each name once"),
    "a name twice": (("--certificate-roles", "a=reader,a=admin"), "must be NAME=ROLE, each name once"),
    "another executor": (("--executor", "dask"), "--executor (ABSFIN_EXECUTOR) must be local or ray, is 'dask'"),
    "nonsense": (("--storage", "mysql"), "must be embedded or supabase, is 'mysql'"),
    "no workers": (("--workers", "0"), "must be a whole number from 1 to 1024, is '0'"),
    "half a worker": (("--workers", "1.5"), "must be a whole number"),
    "endless drain": (("--drain-seconds", "inf"), "must be a number from 0 to 3600"),
    "a drain that is none": (("--drain-seconds", "nan"), "must be a number from 0 to 3600"),
    "log level": (("--log-level", "loud"), "must be debug or info or warning or error"),
    "half of tls": (("--tls-cert", "x"), "--tls-key (ABSFIN_TLS_KEY) must be given"),
    "missing certificate": (("--tls-cert", "/nowhere/c", "--tls-key", "/nowhere/k"), "cannot be read: /nowhere/c"),
    "more bytes than any disk has": (("--min-free-bytes", "1" + 18 * "0"), "of at most 18 digits"),
    "ray address": (("--ray-address", "x:1"), "(ABSFIN_RAY_ADDRESS) cannot be used with --executor local"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_settings(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(WrongSetting) as raised:
        read(tmp_path, *arguments)
    text = str(raised.value)
    assert message in text
    assert "\n" not in text


def test_a_cluster_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # so that nobody can import it
    with pytest.raises(WrongSetting, match=r"--executor .* ray needs .* pip install 'abs-finance\[ray\]'"):
        read(tmp_path, "--executor", "ray", "--ray-address", "head:6379")


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_a_cluster(tmp_path: Path) -> None:
    ray = ("--executor", "ray")
    assert read(tmp_path, *ray, "--ray-address", "head:6379").ray_address == "head:6379"
    assert read(tmp_path, ABSFIN_RAY_ADDRESS="head:6379").ray_address == ""
    with pytest.raises(WrongSetting, match=r"--ray-address \(ABSFIN_RAY_ADDRESS\) must be given with --executor ray"):
        read(tmp_path, *ray)
    for wrong in ("auto", "ray://head:10001", "head", "head:0"):
        with pytest.raises(WrongSetting, match=r"--ray-address .* must be host:port of the head of a cluster"):
            read(tmp_path, *ray, "--ray-address", wrong)
    with pytest.raises(WrongSetting, match=r"--strategy-targets .* cannot be used with --executor ray"):
        read(tmp_path, *ray, "--ray-address", "head:6379", "--strategy-targets", "models.example:50051")


LIMITS = {
    "max_storage_bytes": ("ABSFIN_MAX_STORAGE_BYTES", "10000000", ("-1", "1.5", "10 GB", "9999999", "x")),
    "min_free_bytes": ("ABSFIN_MIN_FREE_BYTES", "1", ("-1", "", "1e6")),
    "retention_days": ("ABSFIN_RETENTION_DAYS", "0.5", ("-1", "nan", "inf", "a week")),
    "max_queued_jobs": ("ABSFIN_MAX_QUEUED_JOBS", "7", ("0", "-1", "many")),
    "max_running_jobs": ("ABSFIN_MAX_RUNNING_JOBS", "7", ("-1", "1.5", "many")),
    "short_job_seconds": ("ABSFIN_SHORT_JOB_SECONDS", "2.5", ("-1", "nan")),
    "job_slice_seconds": ("ABSFIN_JOB_SLICE_SECONDS", "1", ("0.5", "inf")),
    "max_job_seconds": ("ABSFIN_MAX_JOB_SECONDS", "3600", ("-1", "nan", "1h")),
}


@pytest.mark.parametrize(
    ("name", "variable", "good", "wrong"), [(name, *row) for name, row in LIMITS.items()], ids=LIMITS
)
def test_limits(tmp_path: Path, name: str, variable: str, good: str, wrong: tuple[str, ...]) -> None:
    assert getattr(read(tmp_path, **{variable: good}), name) == float(good)
    flag = f"--{name.replace('_', '-')}"
    assert getattr(read(tmp_path, flag, good), name) == float(good)
    for value in wrong:
        with pytest.raises(WrongSetting, match=variable):
            read(tmp_path, f"{flag}={value}")


LIMITS_OF_CALLERS = {
    "calls_per_second": ("ABSFIN_MAX_CALLS_PER_SECOND", "2.5", ("-1", "nan", "inf", "often")),
    "call_burst": ("ABSFIN_MAX_CALL_BURST", "7", ("0", "-1", "1.5")),
    "calls_of_caller": ("ABSFIN_MAX_CALLS_OF_CALLER", "3", ("-1", "few")),
    "streams_of_caller": ("ABSFIN_MAX_STREAMS_OF_CALLER", "4", ("-1", "few")),
    "request_memory_bytes": ("ABSFIN_MAX_REQUEST_MEMORY_BYTES", "1000000000", ("1", "-1", "1 GB")),
}


@pytest.mark.parametrize(
    ("name", "variable", "good", "wrong"),
    [(name, *row) for name, row in LIMITS_OF_CALLERS.items()],
    ids=LIMITS_OF_CALLERS,
)
def test_limits_of_callers(tmp_path: Path, name: str, variable: str, good: str, wrong: tuple[str, ...]) -> None:
    assert getattr(read(tmp_path, **{variable: good}).limits, name) == float(good)
    for value in wrong:
        with pytest.raises(WrongSetting, match=variable):
            read(tmp_path, **{variable: value})


def test_a_request_may_have_half_of_the_memory_of_the_machine(tmp_path: Path) -> None:
    assert 512 << 20 <= read(tmp_path).limits.request_memory_bytes <= max(512 << 20, virtual_memory().total // 2 + 1)
    assert read(tmp_path, ABSFIN_MAX_REQUEST_MEMORY_BYTES="0").limits.request_memory_bytes == 0


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--data-dir", ""], {}), (["--data-dir="], {"ABSFIN_DATA_DIR": "x"}), ([], {"ABSFIN_DATA_DIR": ""})],
)
def test_an_empty_data_dir_is_not_the_default(
    arguments: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(WrongSetting, match=r"--data-dir \(ABSFIN_DATA_DIR\) must not be empty"):
        Settings.read(arguments, {"XDG_DATA_HOME": str(tmp_path), **environment})
    assert list(tmp_path.iterdir()) == []


def test_every_setting_is_in_the_example() -> None:
    assert sorted(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.M)) == sorted(one.variable for one in _OPTIONS.values())


def test_what_the_example_shows_as_a_default_is_the_default(tmp_path: Path) -> None:
    """What is set there is the default, and so is every number: it starts a server as it stands."""
    given = dict(re.findall(r"^([A-Z_]+)=(.+)$", EXAMPLE, re.M))
    assert Settings.read(["--data-dir", str(tmp_path)], given) == Settings.read(["--data-dir", str(tmp_path)], {})
    shown = dict(re.findall(r"^# ([A-Z_]+)=([\d.]+)$", EXAMPLE, re.M))
    defaults = {one.variable: one.fallback for one in _OPTIONS.values()}
    examples = {"ABSFIN_WORKERS", "ABSFIN_METRICS_LISTEN", "ABSFIN_MAX_REQUEST_MEMORY_BYTES"}
    assert {name: value for name, value in shown.items() if defaults[name] != value and name not in examples} == {}


def test_a_data_dir_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WrongSetting, match="--data-dir"):
        read(tmp_path, "--data-dir", str(tmp_path / "file"))


def test_secrets_do_not_show(tmp_path: Path) -> None:
    assert "hush" not in repr(read(tmp_path, *PROJECT[:-1], "sb_secret_hush"))
    assert "hush" not in repr(read(tmp_path, ABSFIN_JWT_SECRET="hush" * 8))


def test_who_may_call(tmp_path: Path) -> None:
    assert read(tmp_path).identity == IdentitySettings(audience="authenticated")
    url, issuer = "https://issuer.example/jwks.json", "https://issuer.example"
    found = read(
        tmp_path, "--auth", "jwt,keys", "--allow-anonymous", "true", "--reflection-access", "closed",
        ABSFIN_JWKS_URL=url, ABSFIN_JWT_ISSUER=issuer, ABSFIN_JWT_AUDIENCE="a",
        ABSFIN_CERTIFICATE_ROLES="x=y=trader, z=admin",
    ).identity  # fmt: skip
    assert found == IdentitySettings(
        ("jwt", "keys"), url, issuer, "a", "", True, (("x=y", Role.TRADER), ("z", Role.ADMIN)), True, False
    )
    assert read(tmp_path, "--auth", "jwt", ABSFIN_JWT_SECRET="s" * 32).identity.methods == ("jwt",)


def test_with_authentication_any_address_may_be_listened_on(tmp_path: Path) -> None:
    assert read(tmp_path, "--listen", "0.0.0.0:50051", "--auth", "keys").listen == "0.0.0.0:50051"


def test_the_process_ends_with_the_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "--data-dir", str(tmp_path), "--listen", "example.org:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("abs-finance: --listen (ABSFIN_LISTEN) must be a loopback address")


def test_help_names_every_variable() -> None:
    done = subprocess.run([sys.executable, "-m", "server", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    for variable in ("ABSFIN_LISTEN", "ABSFIN_DATA_DIR", "ABSFIN_STORAGE", "SUPABASE_URL", "ABSFIN_TLS_CLIENT_CA"):
        assert f"[{variable}]" in text


def test_the_address_of_another_liquidity_service(tmp_path: Path) -> None:
    assert (read(tmp_path).liquidity_target, read(tmp_path).max_remote_seconds) == ("", 10.0)
    given = read(tmp_path, ABSFIN_LIQUIDITY_TARGET="desk.example:50051", ABSFIN_MAX_REMOTE_SECONDS="2.5")
    assert (given.liquidity_target, given.max_remote_seconds) == ("desk.example:50051", 2.5)
    assert read(tmp_path, "--liquidity-target", "[::1]:1").liquidity_target == "[::1]:1"
    for wrong in ("desk", "desk:0", "desk:65536", ":1", "a:1,b:2", "http://desk:1", "unix:/run/desk:1", "de sk:1"):
        with pytest.raises(WrongSetting, match=r"--liquidity-target \(ABSFIN_LIQUIDITY_TARGET\) must be host:port"):
            read(tmp_path, "--liquidity-target", wrong)
    for wrong in ("0", "3601", "soon"):
        with pytest.raises(WrongSetting, match=r"--max-remote-seconds \(ABSFIN_MAX_REMOTE_SECONDS\) must be a number"):
            read(tmp_path, "--max-remote-seconds", wrong)
