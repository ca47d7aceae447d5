"""Settings: declared once in `model`; loading, flags, `orgstream settings` and the docs follow from that."""

from __future__ import annotations

from pipeline.settings.declared import Setting, declared_by
from pipeline.settings.model import Settings
from pipeline.settings.url import Url, masked

SETTINGS: tuple[Setting, ...] = declared_by(Settings)

__all__ = ["SETTINGS", "Setting", "Settings", "Url", "declared_by", "masked"]
