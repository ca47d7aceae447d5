"""The wheel: what it holds, and that what it installs runs without the source tree."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.fixtures.processes import Finished

RunProgram = Callable[..., Finished]
ROOT: Final = Path(__file__).resolve().parents[2]
WHERE: Final = """
import pipeline, stages
from pipeline.postgres.queries import sql_folder
print(pipeline.__path__, stages.__path__, sql_folder(), sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree, with the build backend of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> RunProgram:
    """Runs a program of an environment that has the wheel and, from this one, its dependencies."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False, symlinks=True)
    python = str(environment / "bin" / "python")
    install = ("-m", "uv", "pip", "install", "--offline", "--no-cache", "--no-deps", "--python", python)
    subprocess.run([sys.executable, *install, str(wheel)], check=True, capture_output=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    # Python reads no path file in a folder that a path file named, so this tree stays unseen.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(program: str, *arguments: str) -> Finished:
        command = [str(environment / "bin" / program), *arguments]
        done = subprocess.run(command, cwd=environment, capture_output=True, text=True, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def test_it_holds_the_packages_and_the_sql_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.partition("/")[0] for name in names} == {"pipeline", "stages", "orgstream-0.1.0.dist-info"}
    assert any(name.startswith("pipeline/sql/migrations/") for name in names)
    assert {f"pipeline/{file.relative_to(ROOT)}" for file in (ROOT / "sql").rglob("*.sql")} <= names


def test_its_command_runs_elsewhere(installed: RunProgram) -> None:
    assert installed("orgstream", "--version") == (0, "orgstream 0.1.0\n", "")
    done = installed("orgstream", "settings")
    assert (done.code, done.stderr) == (0, "")
    assert "ORGSTREAM_PARTITIONS" in done.stdout


def test_it_runs_its_own_files_and_not_this_tree(installed: RunProgram) -> None:
    done = installed("python", "-c", WHERE)
    assert (done.code, done.stderr) == (0, "")
    places = done.stdout.splitlines()
    assert len(places) == 3
    assert all("site-packages" in place and str(ROOT) not in place for place in places), places
