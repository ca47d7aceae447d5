"""docs/settings.md, from the declarations: `python -m pipeline.settings.document > docs/settings.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pipeline.settings import SETTINGS

if TYPE_CHECKING:
    from pipeline.settings.declared import Setting

_HEAD: Final = """\
# Settings

Written from the declarations in `pipeline/settings/model.py`; change it there.

Every setting is an environment variable, and a flag of the commands that heed it. A flag wins over the
variable; an empty variable counts as unset. `orgstream settings` shows what a process with this environment
would use, with passwords hidden; `--json` gives the same to scripts. A wrong value or an unknown
`ORGSTREAM_` name is refused with exit code 2 before anything is done.

Durations are a number with `ms`, `s`, `m`, `h` or `d` (a bare number is seconds); sizes a number with `B`,
`KiB`, `MiB` or `GiB` (a bare number is bytes).

| variable | flag | default | unit | meaning |
|---|---|---|---|---|
"""


def document() -> str:
    """The page, with one row for each setting."""
    return _HEAD + "".join(_row(setting) + "\n" for setting in SETTINGS)


def _row(setting: Setting) -> str:
    variables = ", ".join(f"`{name}`" for name in setting.variables)
    default = setting.show(setting.default)
    cells = (
        variables,
        f"`{setting.flag}`",
        f"`{default}`" if default else "",
        setting.unit,
        _meaning(setting),
    )
    return f"| {' | '.join(cells)} |".replace("  |", " |")


def _meaning(setting: Setting) -> str:
    choices = f" One of {', '.join(f'`{choice}`' for choice in setting.choices)}." if setting.choices else ""
    bounds = setting.bounds()
    return setting.meaning + choices + (f" {bounds[0].upper()}{bounds[1:]}." if bounds else "")


if __name__ == "__main__":
    sys.stdout.write(document())
