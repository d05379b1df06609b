"""Self-contained HTML pages: one file, no network, every text escaped."""

from .charts import Axis, IntervalChart, IntervalRow, axis_of, interval_chart
from .plane import PlaneChart, PlanePoint
from .render import render
from .scatter import ScatterChart, ScatterPoint, scatter_chart

__all__ = [
    "Axis",
    "IntervalChart",
    "IntervalRow",
    "PlaneChart",
    "PlanePoint",
    "ScatterChart",
    "ScatterPoint",
    "axis_of",
    "interval_chart",
    "render",
    "scatter_chart",
]
