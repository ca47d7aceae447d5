"""The version of Orgstream that runs."""

from __future__ import annotations


def version() -> str:
    """The installed version; `unknown` where the source tree runs without being installed."""
    from importlib import metadata  # noqa: PLC0415  # slow to import, and most commands do not ask

    try:
        return metadata.version("orgstream")
    except metadata.PackageNotFoundError:
        return "unknown"
