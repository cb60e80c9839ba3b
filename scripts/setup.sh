# Sourced by scripts/demo and scripts/test: makes .venv from the lock. Bash 3.2 is enough.
# Needs only Python 3.11 - 3.14 with venv and a package registry. Safe to run again: it does what is missing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
UV_VERSION=0.13.9
# Without the cache of compiled modules each server and each of its workers compiles pandas and the like once more.
unset PYTHONDONTWRITEBYTECODE

# A version manager's shim may answer to a name and still not run: only a Python that can make a venv counts.
usable() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in "${ABSFIN_PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && usable "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

setup() {
  if [ ! -x .venv/bin/python ] || ! usable .venv/bin/python; then
    local python
    if ! python=$(find_python); then
      echo "abs-finance needs Python 3.11 to 3.14 with the venv module: install python3.13 and python3.13-venv (Debian, Ubuntu) or python@3.13 (Homebrew)." >&2
      exit 1
    fi
    echo "==> making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv || exit 1
  fi
  if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    echo "==> installing uv $UV_VERSION into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" || exit 1
  fi
  echo "==> installing what uv.lock names into .venv"
  # --inexact keeps uv itself, which the lock does not name.
  UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV= .venv/bin/uv sync --quiet --inexact --locked --all-packages --python .venv/bin/python "$@" || exit 1
  if ! .venv/bin/python -c 'import sys; from domain.backtest.precompile import is_compiled; sys.exit(not is_compiled())'; then
    echo "==> compiling the simulation, once, for about half a minute"
    .venv/bin/python -m domain.backtest.precompile || exit 1
  fi
}
