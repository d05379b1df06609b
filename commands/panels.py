"""Options under headings, where a command has many."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class InPanels(TyperCommand):
    """A command whose ``--help`` lists each option under the heading that it names as its ``rich_help_panel``.

    Headings stand in the order of their first options. Rich would draw boxes, and would have to be loaded for it.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None) or "Options"
                panels.setdefault(heading, []).append(record)
        for heading, records in panels.items():
            with formatter.section(heading):
                formatter.write_dl(records)
