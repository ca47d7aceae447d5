"""Settings as flags: generated from their declarations, so that no command repeats a default or a meaning."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import click

from pipeline.log import configure
from pipeline.settings import SETTINGS, Setting, Settings, Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

P = ParamSpec("P")
R = TypeVar("R")

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_ALWAYS: Final = ("log_format", "log_level")
_PREFIX: Final = "setting_"  # so that a command may have an argument with the name of a setting


def with_settings(*names: str) -> Callable[[Callable[Concatenate[Settings, P], R]], Callable[..., R]]:
    """Give a command the flags of the named settings, set up the log, and pass it the settings first.

    All settings are loaded, also those without a flag here. Raises KeyError for a name that is no setting.
    """
    chosen = [_BY_NAME[name] for name in (*names, *_ALWAYS)]

    def decorate(function: Callable[Concatenate[Settings, P], R]) -> Callable[..., R]:
        @functools.wraps(function)
        def run(flags: Mapping[str, str], /, *args: P.args, **kwargs: P.kwargs) -> R:
            settings = Settings.load(os.environ, flags)
            configure(settings.log_format, settings.log_level, process=_process())
            return function(settings, *args, **kwargs)

        return with_flags(chosen)(run)

    return decorate


def with_flags(
    settings: Sequence[Setting],
) -> Callable[[Callable[Concatenate[Mapping[str, str], P], R]], Callable[..., R]]:
    """Give a command the flags of `settings`, and pass it first those that were used, by setting name."""

    def decorate(function: Callable[Concatenate[Mapping[str, str], P], R]) -> Callable[..., R]:
        @functools.wraps(function)
        def run(**arguments: Any) -> R:
            told = {setting.name: arguments.pop(_PREFIX + setting.name) for setting in settings}
            flags = {name: value for name, value in told.items() if value is not None}
            return function(flags, **arguments)  # type: ignore[call-arg]

        command: Callable[..., R] = run
        for setting in reversed(settings):
            command = _option(setting)(command)
        return command

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., R]], Callable[..., R]]:
    default = setting.show(setting.default)
    notes = [" or ".join(setting.variables), *([f"default {default}"] if default else [])]
    return click.option(
        setting.flag,
        _PREFIX + setting.name,
        metavar=_metavar(setting),
        help=f"{setting.meaning} [{'; '.join(notes)}]",
    )


def _metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(setting.choices)
    by_unit = {"seconds": "DURATION", "bytes": "SIZE"}
    by_kind = {int: "N", Url: "URL", str: "TEXT"}
    return by_unit.get(setting.unit) or by_kind.get(setting.kind, "PATH")


def _process() -> str:
    """The kind of process for the log: the command, such as `relay` or `rules apply`."""
    return click.get_current_context().command_path.partition(" ")[2]
