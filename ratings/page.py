"""The page that a rater opens: one file, offline, English and Arabic, by keyboard."""

from __future__ import annotations

import json
from pathlib import Path

from ..harness.labelling.triage.manual import load_manual, signs
from ..harness.languages import language
from ..harness.pages import render
from .forms import FORMS, SHOWN, Kind, spoken, words
from .sheet import Sheet

_TEMPLATES = Path(__file__).parent


def sheet_page(sheet: Sheet) -> str:
    """The page of a sheet. It holds items and no key, keeps what is rated in the browser and saves it as a file.

    Texts are data in it, which scripts put into the page as text: none of them can be markup or a script.
    """
    data = {
        "sheet": sheet.digest,
        "kind": sheet.kind,
        "direction": language(sheet.language).direction,
        "language": sheet.language,
        "heads": SHOWN[sheet.kind],
        "asks": [{"name": ask.name, "values": ask.values} for ask in FORMS[sheet.kind]],
        "words": {
            code: {
                "direction": language(code).direction,
                "page": words(code).page,
                "manual": words(code).manual[sheet.kind],
                "coding": _coding(code) if sheet.kind is Kind.COMPLAINT else None,
                "asks": {name: worded.model_dump() for name, worded in words(code).asks[sheet.kind].items()},
            }
            for code in spoken()
        },
        "items": [item.model_dump() for item in sheet.items],
    }
    return render(_TEMPLATES, "sheet.html", data=_embedded(data))


def _coding(code: str) -> dict[str, object]:
    """The coding manual's short form: its steps, and the levels with the signs of the triage scale."""
    manual, found = load_manual(language(code)), {each.level: each.named for each in signs(language(code))}
    levels = [
        {"level": level, "name": each.name, "follows": each.follows, "signs": found.get(int(level), ())}
        for level, each in manual.levels.items()
    ]
    return {
        "title": manual.title,
        "task": manual.task[1:],
        "table": manual.table,
        "steps": manual.steps,
        "head": manual.signs,
        "search": manual.search,
        "levels": levels,
    }


def _embedded(data: object) -> str:
    """JSON that stands in a script element: nothing in it can end the element, or a line of script."""
    text = json.dumps(data, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
