"""A folder for raters: the page, the workbook, Label Studio's files, and the key that stays behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.core.files import write_text
from ..harness.core.folders import atomic_folder
from ..harness.data.dataset import open_dataset
from ..harness.data.folder import is_dataset
from ..harness.labelling.sources.base import SeveritySource
from ..harness.runs.run import load_run
from .candidates import of_dataset, of_runs
from .draw import Draw, draw
from .forms import Kind, words
from .label_studio import write_label_studio
from .page import sheet_page
from .sheet import Key, Sheet, write_key
from .workbook import write_workbook


@dataclass(frozen=True)
class Collected:
    """How much stands on a sheet."""

    items: int
    questions: int
    repeats: int


def collect(
    sources: Sequence[Path],
    out: Path,
    kind: str | None = None,
    questions: int = 60,
    disagreement: float = 0.25,
    repeats: float = 0.1,
    seed: int = 0,
    labellers: Sequence[SeveritySource] = (),
) -> Collected:
    """Draw items from runs or a dataset, and write everything that raters and collector need into a new folder.

    Args:
        labellers: of complaints, those on which these disagree are chosen beside random ones.

    Raises:
        UserError: the folder is not empty, sources and kind do not fit, or nothing can be drawn.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty, and a sheet that raters have must not change", "Name a new folder")
    sheet, key = _drawn(
        sources, kind, Draw(questions=questions, disagreement=disagreement, repeats=repeats, seed=seed), labellers
    )
    with atomic_folder(out) as work:
        write_text(work / "sheet.html", sheet_page(sheet))
        write_workbook(work / "sheet.xlsx", sheet)
        write_label_studio(work, sheet)
        write_key(work, key)
    return Collected(
        len(key.items), len({each.id for each in key.items}), sum(each.repeat_of is not None for each in key.items)
    )


def _drawn(
    sources: Sequence[Path], kind: str | None, how: Draw, labellers: Sequence[SeveritySource]
) -> tuple[Sheet, Key]:
    if len(sources) == 1 and is_dataset(sources[0]):
        if kind not in (None, Kind.COMPLAINT):
            raise UserError(f"--kind {kind} needs answers, and {sources[0]} is a dataset", "Give runs instead")
        dataset = open_dataset(sources[0])
        words(dataset.language.code)
        return draw(Kind.COMPLAINT, dataset.language.code, str(sources[0]), (), of_dataset(dataset, labellers), how)
    if kind not in (None, Kind.ANSWER, Kind.PAIR):
        raise UserError(f"--kind {kind} is none for runs", "Use answer or pair")
    runs = [load_run(path) for path in sources]
    wanted = Kind(kind) if kind else (Kind.PAIR if len(runs) == 2 else Kind.ANSWER)
    if wanted is Kind.PAIR and len(runs) != 2:
        raise UserError(f"--kind pair takes two runs, not {len(runs)}", "Give two, or use --kind answer")
    language = runs[0].language.code
    words(language)
    names = [run.name for run in runs]
    return draw(wanted, language, ", ".join(map(str, sources)), names, of_runs(runs), how)
