"""The names of the metrics at the end of a command's help, read only when that help is asked for."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class NamesMetrics(TyperCommand):
    """A command that ends its ``--help`` with every metric there is."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        # Here, since the metrics take longer to import than every other help to be printed.
        from ..harness.metrics.registry import COLUMNS, Group
        from ..harness.metrics.screening import SCREENING, screening_in

        super().format_epilog(ctx, formatter)
        for group in Group:
            names = [column.name for column in COLUMNS.things() if column.group is group]
            with formatter.section(f"Metrics of {group}"):
                formatter.write_text(", ".join(names))
        found: dict[str, list[str]] = {}
        for column in COLUMNS.things():
            for name in screening_in(column.name) if column.group is Group.SAFETY else ():
                found.setdefault(name, []).append(column.name)
        for name, columns in found.items():
            with formatter.section(f"For {SCREENING}, without a verdict, in {name}"):
                formatter.write_text(", ".join(columns))
