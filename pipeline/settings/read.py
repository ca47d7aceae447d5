"""Reading settings from an environment and flags: every fault is found before anything is refused."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pipeline.settings.declared import PREFIX, Setting
from pipeline.settings.url import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def read(
    settings: Sequence[Setting], environ: Mapping[str, str], flags: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The values, by name, of the settings that are set rightly; and a sentence on each fault."""
    values: dict[str, Any] = {}
    faults = list(_unknown(settings, environ))
    for setting in settings:
        told = _told(setting, environ, flags)
        if told is None:
            continue
        by, text = told
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            faults.append(_fault(setting, by, text, str(error)))
    return values, faults


def _told(setting: Setting, environ: Mapping[str, str], flags: Mapping[str, str]) -> tuple[str, str] | None:
    """By what the setting was set, and to what. An empty variable counts as unset, as in a shell."""
    if setting.name in flags:
        return setting.flag, flags[setting.name]
    return next(((name, environ[name]) for name in setting.variables if environ.get(name)), None)


def _fault(setting: Setting, by: str, text: str, problem: str) -> str:
    default = setting.show(setting.default)
    remedy = f"Set it to {setting.expected()}" + (f"; the default is {default}." if default else ".")
    return f'{by} is "{masked(text)}": {problem}. {remedy}'


def _unknown(settings: Iterable[Setting], environ: Mapping[str, str]) -> Iterator[str]:
    variables = [variable for setting in settings for variable in setting.variables]
    known = {variable.removeprefix(PREFIX): variable for variable in variables}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in variables:
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            remedy = f"Did you mean {known[near[0]]}?" if near else "`orgstream settings` lists all of them."
            yield f"{name} is not a setting. {remedy}"
