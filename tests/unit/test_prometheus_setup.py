"""`make drill` gets Prometheus where it may, and else says what to do; it never passes without."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Stands for Debian's: notes what it is asked, and brings the programs of PROGRAMS.
APT = """
import pathlib, sys
folder = pathlib.Path(sys.argv[0]).parent
with (folder / "asked").open("a") as file:
    print(sys.argv[2], file=file)
if sys.argv[2] == "install":
    for name in PROGRAMS:
        (folder / name).touch(mode=0o755)
"""


def set_up(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "prometheus.py"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    for name in ("prometheus", "promtool"):
        (tmp_path / name).touch(mode=0o755)
    done = set_up(tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_missing_without_apt_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "prometheus").touch(mode=0o755)
    done = set_up(tmp_path)
    assert done.returncode == 2
    assert "no promtool found: install Prometheus (Debian, Ubuntu: apt-get install prometheus)" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="apt-get installs for root alone")
@pytest.mark.parametrize(("programs", "code"), [(["prometheus", "promtool"], 0), (["prometheus"], 2)])
def test_root_gets_it_installed_if_it_comes(tmp_path: Path, programs: list[str], code: int) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!{sys.executable}{APT.replace('PROGRAMS', str(programs))}", encoding="utf-8")
    apt.chmod(0o755)
    assert set_up(tmp_path).returncode == code
    assert (tmp_path / "asked").read_text(encoding="utf-8").split() == ["update", "install"]
