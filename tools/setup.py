"""Make `.venv` from a hash-locked requirements file: standard library only, Python 3.11 or newer.

    python3 tools/setup.py run    what `make demo` and the `orgstream` command need
    python3 tools/setup.py dev    that, and what `make test` needs

Debian's Python may come without ensurepip; then the environment is made without pip and filled by the
pip outside it.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}


def main(kind: str) -> int:
    """Create or refresh the environment of `kind`; 0 when it is ready, 2 when it cannot be made."""
    if not PYTHON.exists():
        create()
    if run("pip", "--version").returncode != 0 and outer_pip("--version").returncode != 0:
        return refuse("No pip found. Install it (Debian: apt-get install python3-venv) and try again.")
    print(f"Setting up .venv from {LOCKS[kind]} (once) ...", flush=True)
    for arguments in (
        ("--require-hashes", "--requirement", LOCKS[kind]),
        ("--no-deps", "--no-build-isolation", "--editable", "."),
    ):
        failure = install(*arguments)
        if failure:
            return refuse(failure)
    for ready in ("run", "dev") if kind == "dev" else ("run",):
        (ENVIRONMENT / f".{ready}-ready").touch()
    return 0


def create() -> None:
    try:
        venv.create(ENVIRONMENT, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:  # no ensurepip
        venv.create(ENVIRONMENT, with_pip=False, symlinks=True, clear=True)


def install(*arguments: str) -> str:
    """Install into the environment; the empty string, or what pip said when it failed."""
    command = ("install", "--quiet", "--disable-pip-version-check", *arguments)
    done = run("pip", *command) if run("pip", "--version").returncode == 0 else outer_pip(*command)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PYTHON), "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def outer_pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(PYTHON), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def refuse(message: str) -> int:
    print(f"set-up failed: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
