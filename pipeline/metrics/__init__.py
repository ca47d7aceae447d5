"""Metrics: each described in `catalog`, counted in a process's `Metrics`, served by its `MetricsServer`."""

from __future__ import annotations

from pipeline.metrics.registry import Look, Metrics, Reading
from pipeline.metrics.server import MetricsServer
from pipeline.metrics.stage import StageMetrics

__all__ = ["Look", "Metrics", "MetricsServer", "Reading", "StageMetrics"]
