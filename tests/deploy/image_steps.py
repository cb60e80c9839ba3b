"""The steps of a Dockerfile, run in order in a root of their own made from this machine's system, without Docker.

A stage begins with the programs of this machine and the Python that runs the tests, under copies that are its own; it
has no file of the repository but those that a step copies. Only root of Linux may make one.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

PYTHON = Path(sys.base_prefix)
CACHE = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache/uv")
LINKED = ("bin", "sbin", "lib", "lib32", "lib64")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Step:
    """An instruction of a Dockerfile with what follows it, in one line."""

    name: str
    text: str


@dataclass
class Image:
    """What a stage has come to: its folder, and what RUN and the container get."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    workdir: str = "/"
    said: dict[str, str] = field(default_factory=dict)  # what is only noted, such as ENTRYPOINT

    @property
    def root(self) -> Path:
        """The folder that is / for a step."""
        return self.folder / "root"

    def make(self) -> None:
        """An empty root beside the programs of this machine."""
        for name in ("usr", "proc", "dev", "tmp", "var/lib", "var/cache", "run", "home", "root"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").chmod(0o1777)
        for name in LINKED:
            if Path("/", name).is_symlink():
                (self.root / name).symlink_to(os.readlink(f"/{name}"))
        subprocess.run(["cp", "-a", "/etc", str(self.root)], check=True, timeout=30)
        path = f"{PYTHON}/bin:{SYSTEM_PATH}"
        self.environment = {"PATH": path, "HOME": "/root"}

    def command(
        self,
        program: Sequence[str],
        environment: Mapping[str, str],
        volumes: Mapping[str, Path] | None = None,
    ) -> list[str]:
        """Of a program in the root, alone with its processes. With `volumes`, only they and /tmp can be written."""
        cache = self.root / "uv-cache"
        cache.mkdir(exist_ok=True)
        lines, can, temporary = ["set -e"], "rw", self.root / "tmp"
        if volumes is not None:
            can = "ro"
            lines += [f"mount --bind {self.root} {self.root}", f"mount -o remount,bind,ro {self.root}"]
            lines += [f"mount -t tmpfs tmpfs {temporary}"]
            lines += [f"mount --bind {source} {self.root}{target}" for target, source in volumes.items()]
        for number, system in enumerate(self._system()):
            layers = [self.folder / f"{number}-{name}" for name in ("upper", "work")]
            for one in (*layers, self.root / system.relative_to("/")):
                one.mkdir(parents=True, exist_ok=True)
            options = f"{can},lowerdir={system},upperdir={layers[0]},workdir={layers[1]}"
            lines.append(shlex.join(["mount", "-t", "overlay", "overlay", "-o", options, f"{self.root}{system}"]))
        lines += [f"mount --bind {shlex.quote(str(CACHE))} {cache}", f"mount --rbind /dev {self.root}/dev"]
        lines.append(f"mount -t proc proc {self.root}/proc")
        inside = f"cd {shlex.quote(self.workdir)} && exec " + shlex.join(program)
        variables = [f"{name}={value}" for name, value in environment.items()]
        chroot = ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", *variables, "/bin/sh", "-c", inside]
        lines.append("exec " + shlex.join(chroot))
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/bash", "-c", "\n".join(lines)]

    def _system(self) -> list[Path]:
        return [Path("/usr"), *([] if PYTHON.is_relative_to("/usr") else [PYTHON])]


def steps(text: str) -> Iterator[Step]:
    """The instructions of a Dockerfile, in order."""
    joined = re.sub(r"\\\n", " ", "".join(line for line in text.splitlines(True) if not line.startswith("#")))
    for line in joined.splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield Step(name, " ".join(rest.split()))


def build(text: str, folder: Path, overrides: Mapping[str, str]) -> Image:
    """Runs the steps of all stages and returns the last one; `overrides` are variables of every RUN.

    Raises ValueError for a step that is not known here, CalledProcessError for one that fails.
    """
    stages: dict[str, Image] = {}
    image = Image(folder)
    for step in steps(text):
        if step.name == "FROM":
            image = Image(folder / f"stage-{len(stages)}")
            image.make()
            _, _, name = step.text.partition(" AS ")
            stages[name or f"{len(stages)}"] = image
        else:
            _apply(step, image, stages, overrides)
    return image


def _apply(step: Step, image: Image, stages: Mapping[str, Image], overrides: Mapping[str, str]) -> None:
    match step.name:
        case "WORKDIR":
            image.workdir = step.text
            (image.root / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENV" | "ARG":
            for name, value in (one.split("=", 1) for one in shlex.split(step.text)):
                image.environment[name] = re.sub(r"\$(\w+)", lambda found: image.environment[found[1]], value)
        case "USER":
            image.user = step.text
        case "COPY":
            _copy(step.text, image, stages)
        case "RUN":
            passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
            variables = {**passed, **image.environment, "UV_CACHE_DIR": "/uv-cache", **overrides}
            command = image.command(["/bin/sh", "-c", step.text], variables)
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=110)
        case "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT":
            image.said[step.name] = step.text
        case _:
            raise ValueError(f"{step.name} is not known here")


def _copy(text: str, image: Image, stages: Mapping[str, Image]) -> None:
    *sources, target = text.split()
    to = Path(
        os.path.normpath(f"{image.root}/{image.workdir}/{target}" if target[0] != "/" else f"{image.root}{target}")
    )
    if found := re.match(r"--from=(\S+)", sources[0]):
        for source in sources[1:]:
            # Hard links: of a file that both stages have, neither changes its content.
            to.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-al", f"{stages[found[1]].root}{source}", str(to)], check=True, timeout=60)
        return
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", *sources], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in tracked.stdout.split("\0")[:-1]:
        source = next(one for one in sources if name == one or name.startswith(f"{one}/"))
        # The content of a folder, or a file by its name, as Docker copies them.
        place = to / Path(name).relative_to(source) if name != source else to / Path(name).name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)


def words(said: str) -> list[str]:
    """Of an instruction in the form of a list, after its options."""
    found: list[str] = json.loads(said[said.index("[") :])
    return found
