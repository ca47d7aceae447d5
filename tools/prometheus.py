"""See to it that `prometheus` and `promtool` are there for the drills: standard library only.

No wheel brings them. As root on Debian and Ubuntu they are installed; else it is said what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = ("prometheus", "promtool")
PACKAGE = "prometheus"
HOW = "install Prometheus (Debian, Ubuntu: apt-get install prometheus) and try again"


def main() -> int:
    """Install what is missing; 0 when both programs are there, 2 when somebody has to see to it."""
    if not missing():
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return refuse(f"no {' and no '.join(missing())} found: {HOW}.")
    print(f"Installing Debian's package {PACKAGE} (once) ...", flush=True)
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
        done = apt(*arguments)
        if done.returncode != 0:
            return refuse(f"apt-get {arguments[0]} failed: {(done.stderr or done.stdout).strip()}\n{HOW}.")
    stop_service()
    return 0 if not missing() else refuse(f"the package brought no {' and no '.join(missing())}: {HOW}.")


def missing() -> list[str]:
    """The programs that PATH does not have."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(shutil.which("apt-get")), "--quiet", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )


def stop_service() -> None:
    """The package starts a server where there is an init; the drills start their own."""
    service = shutil.which("service")
    if service is not None:
        subprocess.run([service, PACKAGE, "stop"], capture_output=True, check=False)


def refuse(message: str) -> int:
    print(f"no drill: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
