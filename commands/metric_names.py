"""The names of the metrics at the end of a command's help, read only when that help is asked for."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class NamesMetrics(TyperCommand):
    """A command that ends its ``--help`` with every metric there is."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        # Here, since the metrics take longer to import than every other help to be printed.
        from ..harness.metrics.registry import COLUMNS, Group

        super().format_epilog(ctx, formatter)
        for group in Group:
            names = [column.name for column in COLUMNS.things() if column.group is group]
            with formatter.section(f"Metrics of {group}"):
                formatter.write_text(", ".join(names))
