"""What keeps a server from starting is one clear line, without a traceback."""

import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from server.security import check_tls
from server.settings import Settings, Tls, WrongSetting

ROOT = Path(__file__).parents[2]


def refused(folder: Path, *arguments: str, **environment: str) -> str:
    """The one line of a server that does not start."""
    command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", str(folder), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("abs-finance: ")
    return line


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(10_000))


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("absfinance.sqlite3", garbage, "the database is damaged; restore it from a copy"),
        ("absfinance.sqlite3", newer, "was written by a newer version (schema 99"),
        ("absfinance.sqlite3", folder, "cannot be"),
        ("workers", garbage, "cannot be used"),
        ("panels", garbage, "cannot be used"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path: Path, name: str, damage: Callable[[Path], None], message: str) -> None:
    damage(tmp_path / name)
    line = refused(tmp_path)
    assert message in line
    assert "--data-dir (ABSFIN_DATA_DIR)" in line
    assert str(tmp_path) in line


@pytest.mark.exhaustive  # the server waits ten seconds for the lock
def test_a_database_that_another_process_keeps_locked(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "absfinance.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert "another process keeps the database locked" in refused(tmp_path)
    holder.close()


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_a_cluster_that_nobody_runs(tmp_path: Path, free_target: str) -> None:
    line = refused(tmp_path, "--executor", "ray", ABSFIN_RAY_ADDRESS=free_target)
    assert f"--ray-address (ABSFIN_RAY_ADDRESS) {free_target} cannot be used: nothing answers there" in line
    assert f"ray start --address={free_target}" in line


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, timeout=60
    )
    if mounted.returncode:
        return  # only who may mount can fill a disk
    try:
        disk.chmod(0o700)
        assert "the disk of the store is full" in refused(disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=60)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert f"cannot be bound: is {address} in use?" in refused(tmp_path, "--listen", address)


def certificate(folder: Path, name: str, *more: str) -> Tls:
    """A self-signed certificate and its key."""
    pair = folder / f"{name}.crt", folder / f"{name}.key"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    out = ("-out", str(pair[0]), "-keyout", str(pair[1]))
    subprocess.run([*command, *subject, *out, *(more or ("-days", "30"))], check=True, capture_output=True, timeout=60)
    return Tls(*pair)


def test_tls_files_that_fit(tmp_path: Path) -> None:
    good = certificate(tmp_path, "good")
    assert check_tls(good) is None
    assert check_tls(Tls(good.certificate, good.key, good.certificate)) is None


def test_tls_files_that_cannot_be_used(tmp_path: Path) -> None:
    good, other = certificate(tmp_path, "good"), certificate(tmp_path, "other")
    (text := tmp_path / "text").write_text("not PEM")
    cases = [
        (Tls(text, good.key), r"--tls-cert \(ABSFIN_TLS_CERT\) is not a PEM file of a certificate"),
        (Tls(tmp_path, good.key), r"--tls-cert .* is not a PEM file"),
        (Tls(good.certificate, text), r"--tls-key \(ABSFIN_TLS_KEY\) is not a PEM file of a key without password"),
        (Tls(good.certificate, tmp_path), r"--tls-key .* is not a PEM file"),
        (Tls(good.certificate, other.key), r"--tls-key .* does not belong to the certificate"),
        (Tls(good.certificate, good.key, text), r"--tls-client-ca \(ABSFIN_TLS_CLIENT_CA\) is not a PEM file"),
    ]
    for tls, message in cases:
        with pytest.raises(WrongSetting, match=message) as raised:
            check_tls(tls)
        assert "\n" not in str(raised.value)
    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", str(good.key), "-out", str(locked), "-aes256", "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with pytest.raises(WrongSetting, match="a key without password"):
        check_tls(Tls(good.certificate, locked))
    line = refused(tmp_path / "data", "--tls-cert", str(good.certificate), "--tls-key", str(other.key))
    assert "does not belong to the certificate" in line


def test_a_certificate_out_of_date_is_a_warning(tmp_path: Path) -> None:
    # The oldest way to make one: a certificate of which the last day was yesterday.
    key = tmp_path / "old.key"
    fresh = certificate(tmp_path, "old")
    request = tmp_path / "old.csr"
    subprocess.run(
        ["openssl", "req", "-new", "-key", str(key), "-subj", "/CN=localhost", "-out", str(request)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    (tmp_path / "index").touch()
    (tmp_path / "serial").write_text("01")
    config = tmp_path / "ca.cnf"
    config.write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={tmp_path}/index\nserial={tmp_path}/serial\nnew_certs_dir={tmp_path}\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
    )
    old = tmp_path / "expired.crt"
    command = ["openssl", "ca", "-batch", "-selfsign", "-config", str(config), "-keyfile", str(key), "-notext"]
    dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    subprocess.run(
        [*command, "-in", str(request), "-out", str(old), *dates], check=True, capture_output=True, timeout=60
    )
    assert check_tls(Tls(old, fresh.key)) == f"the certificate {old} has expired"


def read(folder: Path) -> Settings:
    return Settings.read([], {"ABSFIN_DATA_DIR": str(folder)})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert mode(read(tmp_path / "new").data_dir) == 0o700
    finally:
        os.umask(before)


def test_a_folder_of_ours_is_made_private_and_another_is_refused(tmp_path: Path) -> None:
    for name in ("empty", "ours", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "ours/absfinance.sqlite3").touch()
    (tmp_path / "other/letter.txt").touch()
    assert mode(read(tmp_path / "empty").data_dir) == 0o700
    assert mode(read(tmp_path / "ours").data_dir) == 0o700
    with pytest.raises(WrongSetting, match=r"open to other users \(mode 0755\) and holds other files.*chmod 700"):
        read(tmp_path / "other")
    assert mode(tmp_path / "other") == 0o755
