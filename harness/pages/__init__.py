"""Self-contained HTML pages: one file, no network, every text escaped."""

from .charts import Axis, IntervalChart, IntervalRow, axis_of, interval_chart
from .plane import PlaneChart, PlanePoint
from .render import render

__all__ = [
    "Axis",
    "IntervalChart",
    "IntervalRow",
    "PlaneChart",
    "PlanePoint",
    "axis_of",
    "interval_chart",
    "render",
]
