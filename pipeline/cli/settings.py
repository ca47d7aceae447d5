"""`orgstream settings`: what each setting is, what it was set to, and what it means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from pipeline.cli.options import with_flags
from pipeline.errors import ConfigurationError
from pipeline.settings import SETTINGS, Setting, masked
from pipeline.settings.read import read

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADINGS: Final = ("name", "value", "default", "unit", "meaning")
_WIDEST: Final = 34  # a longer value pushes only its own line


@click.command()
@with_flags(SETTINGS)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
def command(flags: Mapping[str, str], as_json: bool) -> None:
    """List every setting with its value, default, unit and meaning; passwords are hidden.

    A wrong value or an unknown ORGSTREAM_ variable is told after the list, with exit code 2.
    """
    values, faults = read(SETTINGS, os.environ, flags)
    if as_json:
        document = [_as_object(setting, values) for setting in SETTINGS]
        click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        rows = [_HEADINGS, *(_as_row(setting, values) for setting in SETTINGS)]
        click.echo("\n".join(_aligned(rows)))
    if faults:
        raise ConfigurationError("\n".join(faults))


def _as_object(setting: Setting, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": setting.variables[-1],
        "flag": setting.flag,
        "value": _plain(values.get(setting.name, setting.default)),
        "default": _plain(setting.default),
        "unit": setting.unit,
        "meaning": setting.meaning,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else masked(str(value))


def _as_row(setting: Setting, values: Mapping[str, Any]) -> tuple[str, ...]:
    value = setting.show(values.get(setting.name, setting.default))
    return (
        setting.variables[-1],
        value or "-",
        setting.show(setting.default) or "-",
        setting.unit or "-",
        setting.meaning,
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
