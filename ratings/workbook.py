"""The same sheet as a workbook with drop-downs, for raters who would rather have one; and what they filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.files import atomic
from ..harness.languages import language
from .forms import FORMS, SHOWN, words
from .sheet import Sheet

_RATINGS, _ABOUT, _MANUAL = "ratings", "about", "manual"
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CELL = 32_767
"""What a cell of a workbook can hold, in characters."""


def write_workbook(path: Path, sheet: Sheet) -> None:
    """Write the sheet with one row per item and a drop-down per question to the rater.

    Raises:
        UserError: the file cannot be written.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    spoken = words(sheet.language)
    book = Workbook()
    page: Any = book.active
    page.title = _RATINGS
    page.sheet_view.rightToLeft = language(sheet.language).direction == "rtl"
    asks = FORMS[sheet.kind]
    shown = SHOWN[sheet.kind]
    heads = ["item", *(spoken.page[name] for name in shown), *(ask.name for ask in asks), "note"]
    page.append(heads)
    page.append(["", *("" for _ in shown), *(spoken.asks[sheet.kind][ask.name].text for ask in asks), ""])
    for item in sheet.items:
        page.append([item.item])
        for column, text in enumerate(item.texts, start=2):
            cell = page.cell(page.max_row, column)
            # A text that begins with = is no formula.
            cell.value, cell.data_type = _ILLEGAL.sub("\ufffd", text)[:_CELL], "s"
    for row in page.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=cell.row < 3)
    for number, ask in enumerate(asks, start=2 + len(shown)):
        choice = DataValidation(type="list", formula1=f'"{",".join(ask.values)}"', allow_blank=True)
        page.add_data_validation(choice)
        letter = get_column_letter(number)
        choice.add(f"{letter}3:{letter}{page.max_row}")
    for number in range(1, len(heads) + 1):
        page.column_dimensions[get_column_letter(number)].width = 60 if 1 < number <= 1 + len(shown) else 16
    page.freeze_panes = "B3"
    about = book.create_sheet(_ABOUT)
    for name, value in (("rater", ""), ("sheet", sheet.digest), ("kind", str(sheet.kind))):
        about.append([name, value])
    manual = book.create_sheet(_MANUAL)
    for line in (*spoken.manual[sheet.kind], *_values(sheet)):
        manual.append([line])
    manual.column_dimensions["A"].width = 120
    with atomic(path) as temporary:
        book.save(temporary)


def _values(sheet: Sheet) -> list[str]:
    spoken = words(sheet.language).asks[sheet.kind]
    return [
        f"{ask.name}: " + ", ".join(f"{value} = {spoken[ask.name].values[value]}" for value in ask.values)
        for ask in FORMS[sheet.kind]
    ]


def read_workbook(path: Path) -> dict[str, Any]:
    """A filled workbook, in the shape of the file that the page saves. Rows without any value are left out.

    Raises:
        UserError: it is none of ours, or the rater's name is missing.
    """
    from openpyxl import load_workbook

    remedy = "Give the sheet.xlsx that `maqa ratings collect` wrote, filled in"
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        about = {str(row[0]): row[1] for row in book[_ABOUT].iter_rows(values_only=True, max_col=2) if row[0]}
        rows = list(book[_RATINGS].iter_rows(values_only=True))
    except Exception as error:
        raise UserError(f"{path} is no filled workbook of ratings: {error}", remedy) from error
    if not rows or "sheet" not in about or "kind" not in about:
        raise UserError(f"{path} is no filled workbook of ratings", remedy)
    if not str(about.get("rater") or "").strip():
        raise UserError(f"{path} does not say who rated", f"Write a name into cell B1 of its page {_ABOUT}")
    heads = [str(name) for name in rows[0]]
    known = {ask.name for asks in FORMS.values() for ask in asks}
    ratings = []
    for row in rows[2:]:
        cells = dict(zip(heads, row, strict=False))
        values = {
            name: str(cells[name]).strip() for name in heads if name in known and cells.get(name) not in (None, "")
        }
        if values:
            ratings.append({"item": str(cells["item"]), "values": values, "note": str(cells.get("note") or "")})
    return {
        "version": 1,
        "sheet": str(about["sheet"]),
        "kind": str(about["kind"]),
        "rater": str(about["rater"]).strip(),
        "ratings": ratings,
    }
