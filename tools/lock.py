"""Write the hash-locked requirements files from pyproject.toml, for every platform, naming no registry."""

from __future__ import annotations

import subprocess
import sys

COMPILE = [
    *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"),
    *("--no-header", "--quiet"),
    *("--extra", "embedded", "--group", "build"),
]

if __name__ == "__main__":
    subprocess.run([*COMPILE, "-o", "requirements.lock"], check=True)
    subprocess.run([*COMPILE, "--group", "dev", "-o", "requirements-dev.lock"], check=True)
