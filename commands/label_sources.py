"""The sources of ``maqa label``: one, or several side by side and as one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .words import heading, say, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.data.dataset import Dataset
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.labelling.sources.choose import Around
    from ..harness.labelling.sources.combined import CombinedSource
    from ..harness.labelling.sources.comparison import Comparison

LLM = "llm"
_DASH = "—"


class Combine(StrEnum):
    """How several sources become one."""

    MAJORITY = "majority"
    DAWID_SKENE = "dawid-skene"


@dataclass(frozen=True)
class LlmOptions:
    """What ``--with llm`` is told; ``store`` is where replies are kept, by default in the dataset's folder."""

    model: str
    model_args: str
    max_new_tokens: int
    temperature: float
    chat_template: bool
    device: str | None
    repeats: int
    retry_refused: bool
    store: Path | None


def around_of(dataset: Dataset, severity_map: str | None, llm: LlmOptions) -> Around:
    """What sources may need beside their names.

    Raises:
        UserError: the severity map says nothing.
    """
    from ..harness.data.severity_map import read_severity_map
    from ..harness.labelling.sources.choose import Around

    def open_llm(language: Any) -> SeveritySource:
        from ..judges.labelling import STORE, LlmSource
        from .judge import open_judge

        store = llm.store or dataset.folder / STORE
        judge = open_judge(
            llm.model,
            llm.model_args,
            llm.temperature,
            llm.max_new_tokens,
            llm.repeats,
            llm.chat_template,
            llm.device,
            store,
        )
        return LlmSource(judge, language, store, llm.repeats, llm.retry_refused)

    return Around(dataset, read_severity_map(severity_map, dataset.language), {LLM: open_llm})


def questions_of(dataset: Dataset) -> list[str]:
    """The complaints of all splits."""
    from ..harness.data.dataset import SPLITS

    return [question for name in SPLITS for question in dataset.split(name)["question"]]


def combine(opened: Dataset, sources: list[SeveritySource], method: Combine) -> CombinedSource:
    """Several sources as one, which has asked all of them about every complaint."""
    from ..harness.labelling.sources.combined import CombinedSource, Method, Votes
    from .progress import rows_bar

    questions = questions_of(opened)
    with rows_bar("asking the sources", len(set(questions))) as advance:
        votes = Votes(sources, opened.language, advance)
        votes.of(questions)
    return CombinedSource(Method(method), votes, questions)


def compare(
    console: Console,
    opened: Dataset,
    names: list[str],
    sources: list[SeveritySource],
    combined: CombinedSource | None,
    out: Path | None,
) -> None:
    """Print what each source says and how far they agree; ``agreement.json`` goes into ``out``."""
    from ..harness.core.files import write_json
    from ..harness.labelling.sources.combined import Votes
    from ..harness.labelling.sources.comparison import compare_sources, distinct
    from .progress import rows_bar

    questions = questions_of(opened)
    votes = combined.votes if combined else None
    if votes is None:
        with rows_bar("asking the sources", len(set(questions))) as advance:
            votes = Votes(sources, opened.language, advance)
            votes.of(questions)
    shown = distinct([Path(name).name or name for name in names])
    found = compare_sources(shown, [each.version for each in sources], votes.of(questions), combined)
    print_comparison(console, found)
    if out is not None:
        write_json(out / "agreement.json", found.model_dump())
        console.print(say("sources.written", file=out / "agreement.json"), markup=False, soft_wrap=True)


def print_comparison(console: Console, found: Comparison) -> None:
    """Shares, the matrix of agreement, and the errors that were learnt from it."""
    from rich.table import Table

    from ..harness.severity import SEVERITIES
    from .tables import print_table

    shares = Table(title=say("sources.shares", n=f"{found.rows:,}"), title_justify="left")
    shares.add_column(heading("sources.source"), no_wrap=True)
    for name in (*map(str, SEVERITIES), "unknown"):
        shares.add_column(term(name), justify="right", no_wrap=True)
    for said in found.sources:
        shares.add_row(
            Text(said.source), *(f"{said.shares[str(each)]:.1f}" for each in SEVERITIES), f"{said.unknown:.1f}"
        )
    print_table(console, shares)
    names = [each.source for each in found.sources]
    matrix = Table(title=heading("sources.matrix"), title_justify="left")
    matrix.add_column("", no_wrap=True)
    for name in names[1:]:
        matrix.add_column(Text(name), justify="right")
    pairs = {(pair.one, pair.other): pair for pair in found.pairs}
    for place, name in enumerate(names[:-1]):
        cells = [""] * place
        for other in names[place + 1 :]:
            pair = pairs[name, other]
            known = f"{pair.exact[0] or 0:.1f} ({_interval(pair.kappa)}; {pair.rows:,})"
            cells.append(known if pair.rows else heading("sources.apart"))
        matrix.add_row(Text(name), *cells)
    print_table(console, matrix)
    if found.alpha is not None:
        console.print(say("sources.alpha", alpha=_interval(found.alpha)), markup=False)
    console.print(heading("sources.truth"), markup=False)
    if not found.errors:
        return
    learnt = Table(title=heading("sources.learnt"), title_justify="left")
    learnt.add_column(heading("sources.source"), no_wrap=True)
    for severity in SEVERITIES:
        learnt.add_column(term(severity), justify="right", no_wrap=True)
    for error in found.errors:
        learnt.add_row(Text(error.source), *(f"{error.called[each.rank][each.rank]:.1f}" for each in SEVERITIES))
    print_table(console, learnt)
    true = heading("list.comma").join(f"{term(name)} {share:.1f}" for name, share in found.prevalence.items())
    console.print(say("sources.true", shares=true), markup=False, soft_wrap=True)
    if len(found.errors) < 3:
        console.print(heading("sources.two"), markup=False)


def _interval(triple: tuple[float | None, float | None, float | None]) -> str:
    value, low, high = triple
    if value is None:
        return _DASH
    return f"{value:.2f}" + ("" if low is None else f" [{low:.2f}, {high:.2f}]")
