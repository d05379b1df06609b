"""Self-contained HTML pages: one file, no network, every text escaped."""

from .charts import Axis, IntervalChart, IntervalRow, axis_of, interval_chart
from .render import render

__all__ = ["Axis", "IntervalChart", "IntervalRow", "axis_of", "interval_chart", "render"]
