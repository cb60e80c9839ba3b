"""The Dockerfile: linted, and its steps run in order in a plain root. No image is pulled, and none built."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.deploy.image_steps import Image, build, steps, words

TEXT = (ROOT / "Dockerfile").read_text()
STEPS = list(steps(TEXT))
USER = 10001
START_SECONDS = 250.0  # without bytecode, on a machine that does other things
MEMORY = Path("/dev/shm")  # noqa: S108  # the folder itself is made new
IMAGE_BYTES = 4e9  # with room to spare; the memory of a container may be one of 64 MB
# Bytecode and compiled code only save time, much of which it takes to make them here.
FASTER = {"UV_COMPILE_BYTECODE": "0", "NUMBA_DISABLE_JIT": "1"}


def of(name: str) -> list[str]:
    """What follows an instruction, each time that it is there."""
    return [step.text for step in STEPS if step.name == name]


def test_hadolint_has_nothing_to_say() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = shutil.which("hadolint") or (str(beside) if beside.exists() else None)
    if hadolint is None:
        pytest.skip("hadolint is not installed: .ci/run says how")
    done = subprocess.run(
        [hadolint, "--failure-threshold", "style", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_is_built_from_is_pinned_by_hash() -> None:
    images = {text.partition(" AS ")[0] for text in of("FROM")}
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in images)
    assert len(images) == 1, "both stages have one Python"
    pinned = (ROOT / "deploy/image/uv.txt").read_text()
    (version,) = re.findall(r"^UV_VERSION=(\S+)", (ROOT / "scripts/setup.sh").read_text(), re.M)
    assert re.findall(r"^(\S+) \\$", pinned, re.M) == [f"uv=={version}"]
    installs = [text for text in of("RUN") if "pip install" in text]
    assert installs
    assert all("--require-hashes" in text for text in installs)
    assert "--locked" in next(text for text in of("RUN") if text.startswith("uv sync"))


def test_it_is_of_a_python_that_the_project_supports() -> None:
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert {".".join(found) for found in re.findall(r"python:(\d+)\.(\d+)\.", TEXT)} <= set(supported)


def test_a_container_has_no_root_and_says_whether_it_is_healthy() -> None:
    assert of("USER") == [str(USER)]
    assert f"--uid {USER}" in TEXT
    assert words(of("HEALTHCHECK")[0]) == ["python", "-m", "server.probe"]
    assert of("STOPSIGNAL") == ["SIGTERM"]
    assert of("ADD") == []
    assert not re.search(r"curl|wget|apt-get|:latest", TEXT)


def test_what_is_copied_is_in_the_context_and_no_secret_is() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", "var"} <= set(ignored)
    copied = {source for text in of("COPY") if "--from" not in text for source in text.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    assert not {source.partition("/")[0] for source in copied} & set(ignored)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root of Linux can make a root of files")
    if not (Path(sys.base_prefix) / "bin/pip").exists():
        pytest.skip("the Python of this machine has no pip to begin with")
    # In memory where that can be: two thirds of the time is that of a gigabyte of small files on a disk.
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > IMAGE_BYTES
    folder = Path(tempfile.mkdtemp(prefix="absfin-image-", dir=MEMORY if has_room else None))
    folder.chmod(0o755)
    try:
        yield build(TEXT, folder, FASTER)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def container(image: Image, folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The entry point as user of the image, over a root that cannot be written, and its environment."""
    volumes = {}
    for target in (image.said["VOLUME"], image.environment["XDG_CACHE_HOME"]):
        volumes[target] = folder / target.replace("/", "-")
        # As Docker makes a volume: with what the image has there, and its owner.
        shutil.copytree(f"{image.root}{target}", volumes[target], dirs_exist_ok=True)
        for path in (volumes[target], *volumes[target].rglob("*")):
            os.chown(path, USER, USER)
    environment = {**image.environment, **settings}
    command = image.command(words(image.said["ENTRYPOINT"]), environment, volumes)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process, environment
    finally:
        # It has changed its user, so that the kernel does not end it with its parent.
        for one in psutil.Process(process.pid).children() if process.poll() is None else ():
            one.kill()
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.alone  # what it imports has no bytecode: beside other tests that takes minutes
@pytest.mark.timeout(400)
def test_without_authentication_it_refuses_to_be_reached(image: Image, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with container(image, tmp_path, ABSFIN_LISTEN="0.0.0.0:50051") as (process, _):
        _, said = process.communicate(timeout=START_SECONDS)
    assert process.returncode != 0
    assert "--listen (ABSFIN_LISTEN) must be a loopback address" in said
    assert "--auth" in said


@pytest.mark.alone  # what it imports has no bytecode: beside other tests that takes minutes
@pytest.mark.timeout(400)
def test_its_root_belongs_to_root_and_has_no_tool_of_the_build(image: Image) -> None:
    assert (image.root / "app/.venv/bin/python").is_symlink()
    assert {path.name for path in (image.root / "app").iterdir()} == {".venv"}
    packages = next((image.root / "app/.venv/lib").iterdir()) / "site-packages"
    assert not {"pytest", "ruff", "ray", "uv"} & {path.name for path in packages.iterdir()}
    owned = {path for path in (image.root / "app").rglob("*") if path.lstat().st_uid != 0}
    assert owned == set()
    assert (image.root / "var/lib/abs-finance").stat().st_mode & 0o777 == 0o700
