"""A Supabase on this machine for a benchmark, as scripts/supabase-local starts it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for `scripts`, which is no package of the workspace

from scripts.supabase_local import stack_of  # noqa: E402
from scripts.supabase_processes import Stack  # noqa: E402


@contextmanager
def local_supabase() -> Iterator[Stack]:
    """One that ends with this process, however that ends. Raises StackError."""
    with tempfile.TemporaryDirectory(prefix="absfin-bench-") as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user where we are root
        command = [sys.executable, "-m", "scripts.supabase_local", "run", "--folder", f"{name}/stack", "--follow-input"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, cwd=ROOT
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the stack has no pipes")
            try:
                yield stack_of(process.stdout.readline(), Path(name) / "stack")
            finally:
                process.stdin.close()
                process.wait(60)
