"""Label Studio's format: tasks with a labelling configuration out, its JSON export in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..harness.core.errors import UserError
from ..harness.core.files import write_json, write_text
from .forms import FORMS, SHOWN, words
from .sheet import Sheet


def write_label_studio(folder: Path, sheet: Sheet) -> None:
    """Write ``label_studio_tasks.json`` and ``label_studio_config.xml`` for a project of Label Studio."""
    shown = SHOWN[sheet.kind]
    tasks = [
        {
            "data": {
                "item": item.item,
                "sheet": sheet.digest,
                "kind": str(sheet.kind),
                **dict(zip(shown, item.texts, strict=True)),
            }
        }
        for item in sheet.items
    ]
    write_json(folder / "label_studio_tasks.json", tasks)
    spoken = words(sheet.language)
    view = ElementTree.Element("View")
    for name in shown:
        ElementTree.SubElement(view, "Header", value=spoken.page[name])
        ElementTree.SubElement(view, "Text", name=name, value=f"${name}")
    for ask in FORMS[sheet.kind]:
        worded = spoken.asks[sheet.kind][ask.name]
        ElementTree.SubElement(view, "Header", value=worded.text)
        choices = ElementTree.SubElement(view, "Choices", name=ask.name, toName=shown[-1], choice="single")
        for value in ask.values:
            ElementTree.SubElement(choices, "Choice", value=value, hint=worded.values[value])
    ElementTree.SubElement(view, "TextArea", name="note", toName=shown[-1])
    ElementTree.indent(view)
    write_text(folder / "label_studio_config.xml", ElementTree.tostring(view, encoding="unicode") + "\n")


def is_label_studio(content: Any) -> bool:
    """Whether it looks like an export: a list of tasks with annotations."""
    return isinstance(content, list) and any(isinstance(each, dict) and "annotations" in each for each in content)


def read_label_studio(content: list[Any], path: Path) -> list[dict[str, Any]]:
    """An export as one filled sheet per annotator, whom it names by address or number. Skipped tasks are left out.

    Raises:
        UserError: its tasks are not of our sheet.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, task in enumerate(content, start=1):
        data = task.get("data", {}) if isinstance(task, dict) else {}
        if not {"item", "sheet", "kind"} <= set(data):
            raise UserError(
                f"{path} task {number} has no item, sheet and kind",
                "Import label_studio_tasks.json into Label Studio, and export as JSON",
            )
        for annotation in task.get("annotations", []):
            if annotation.get("was_cancelled"):
                continue
            rater = _rater(annotation.get("completed_by"))
            filled = found.setdefault(
                rater,
                {
                    "version": 1,
                    "sheet": str(data["sheet"]),
                    "kind": str(data["kind"]),
                    "rater": rater,
                    "ratings": [],
                },
            )
            filled["ratings"].append(
                {
                    "item": str(data["item"]),
                    "values": {
                        result["from_name"]: str(result["value"]["choices"][0])
                        for result in annotation.get("result", [])
                        if result.get("type") == "choices" and result["value"].get("choices")
                    },
                    "note": " ".join(
                        text
                        for result in annotation.get("result", [])
                        if result.get("type") == "textarea"
                        for text in result["value"].get("text", [])
                    ),
                    "seconds": float(annotation.get("lead_time") or 0),
                }
            )
    return list(found.values())


def _rater(completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        return str(completed_by.get("email") or completed_by.get("id") or "unknown")
    return str(completed_by if completed_by is not None else "unknown")
