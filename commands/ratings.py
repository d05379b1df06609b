"""``maqa ratings``: people's judgement of answers and complaints, collected blindly and read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import app
from .options import Resamples, Seed, SeverityMapText, resampling_of
from .output import JsonOutput, to_output, write_json_result
from .words import say
from .writing import Commands

if TYPE_CHECKING:
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.statistics import Resampling
    from ..ratings.collected import Ratings

ratings = Commands(help="Have people judge answers or label complaints, blindly.", no_args_is_help=True)
app.add_typer(ratings, name="ratings")

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="What came back: ratings_*.json, sheet.xlsx, Label Studio's JSON export."
    ),
]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="key.json of the sheet, or its folder; by default beside the files.")
]


@ratings.command()
def collect(
    sources: Annotated[
        list[Path], typer.Argument(metavar="RUN...|DATASET", help="Runs of the same questions, or one dataset.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the sheet and its key.")],
    kind: Annotated[
        str | None,
        typer.Option(
            help="Of runs: answer, one at a time, or pair, two side by side; pair of two runs by default."
        ),
    ] = None,
    questions: Annotated[int, typer.Option(help="How many, equally over the severities.")] = 60,
    disagreement: Annotated[
        float, typer.Option(help="Share of them that metrics, or the labels' probabilities, are least sure of.")
    ] = 0.25,
    repeats: Annotated[float, typer.Option(help="Share of the items that come twice, unannounced.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of what is drawn and in which order.")] = 0,
    labellers: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="SOURCE",
            help="Of complaints: several severity sources as of `maqa label`; those they disagree on are chosen.",
        ),
    ] = None,
) -> None:
    """Make a sheet for raters: blind, shuffled, offline, English and Arabic.

    Send sheet.html, sheet.xlsx or Label Studio's files; keep key.json.
    """
    from ..harness.core.console import Terminal
    from ..ratings.collecting import collect as make

    folder = make(sources, out, kind, questions, disagreement, repeats, seed, _labellers(sources, labellers or []))
    console = Terminal(soft_wrap=True)
    console.print(
        f"{folder.items} items of {folder.questions} questions, {folder.repeats} of them twice", markup=False
    )
    console.print(f"Send {out / 'sheet.html'} (or sheet.xlsx, or Label Studio's files) to each rater", markup=False)
    console.print(f"Keep {out / 'key.json'} to yourself: it says which answer is whose", markup=False)
    console.print(
        f"Then: maqa ratings import FILE... --key {out / 'key.json'} --out {out / 'ratings.json'}", markup=False
    )


@ratings.command("import", writes=("out", "gold", "flags"))
def import_(
    files: Files,
    out: Annotated[Path, typer.Option(help="The file of all ratings, JSON.")],
    key: KeyFile = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A dataset whose complaints people labelled elsewhere: the files are tables or exports."),
    ] = None,
    severity_map: SeverityMapText = None,
    gold: Annotated[
        Path | None, typer.Option(help="Of complaints: also write this gold file, CSV, by majority.")
    ] = None,
    review: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="The files are reviews saved in a report's page: its run, then --against's, each with --review.",
        ),
    ] = None,
    flags: Annotated[Path | None, typer.Option(help="Of a review: also write what was said of flags, CSV.")] = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Join what raters sent back, and say how far they agree."""
    from ..harness.core.console import Terminal
    from ..harness.core.files import ensure_writable
    from ..ratings.agreement import read_agreement
    from ..ratings.collected import write_ratings
    from ..ratings.gold import gold_of, write_gold
    from .ratings_tables import print_agreement

    resampling = resampling_of(seed, resamples, "maqa ratings import")
    if review:
        _import_review(files, review, out, flags, resampling)
        return
    for path in (out, gold):
        if path is not None:
            ensure_writable(path)
    found = _elsewhere(files, key, data, severity_map) if data else _ratings(files, key)
    made = gold_of(found) if gold is not None else []
    read = read_agreement(found, resampling)
    write_ratings(out, found)
    console = Terminal()
    print_agreement(console, found, read)
    if gold is not None:
        write_gold(gold, made)
        split = sum(not each.agreed for each in made)
        console.print(
            f"{gold}: {len(made)} complaints, {split} of them by majority of raters who differ; ties went to the "
            "more urgent level",
            markup=False,
            soft_wrap=True,
        )
    console.print(str(out), markup=False, soft_wrap=True)


@ratings.command()
def agreement(
    files: Files, key: KeyFile = None, json: JsonOutput = None, seed: Seed = None, resamples: Resamples = None
) -> None:
    """Say how far raters agree with each other and with themselves, and what they say of the runs.

    Takes the files that came back, or the one of `maqa ratings import`.
    """
    from ..harness.core.console import Terminal
    from ..ratings.agreement import read_agreement
    from .ratings_tables import print_agreement

    resampling = resampling_of(seed, resamples, "maqa ratings agreement")
    found = _ratings(files, key)
    read = read_agreement(found, resampling)
    if json is not None:
        write_json_result(json, {"sheet": found.key.sheet, "kind": found.key.kind, **read.as_json()})
    print_agreement(Terminal(), found, read)


@ratings.command()
def meta(
    file: Annotated[Path, typer.Argument(metavar="RATINGS", help="The file of `maqa ratings import`.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="The runs whose answers were rated.")],
    json: Annotated[Path | None, to_output("Also write this file, for --people of board and report")] = None,
    powered_by: Annotated[
        str | None,
        typer.Option(help="The metric or detector that helps few ratings to a narrower interval; bertscore_f1."),
    ] = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Say for each metric how far it orders answers as people do, and how far one person does.

    Also the runs' differences in people's units, from the ratings and the metric of all answers.
    """
    from ..harness.core.console import Terminal
    from ..harness.runs.run import load_run
    from ..ratings.collected import read_ratings
    from ..ratings.meta import meta as measure
    from .ratings_tables import print_meta

    resampling = resampling_of(seed, resamples, "maqa ratings meta")
    found = measure(read_ratings(file), [load_run(run) for run in runs], resampling, powered_by)
    if json is not None:
        write_json_result(json, found.model_dump(mode="json"))
    print_meta(Terminal(), found)


def _import_review(
    files: list[Path], runs: list[Path], out: Path, flags: Path | None, resampling: Resampling
) -> None:
    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.core.files import ensure_writable
    from ..harness.runs.run import load_run
    from ..ratings.agreement import read_agreement
    from ..ratings.collected import write_ratings
    from ..ratings.review import read_review, write_flags
    from .ratings_tables import print_agreement

    for path in (out, *([flags] if flags else [])):
        ensure_writable(path)
    found = read_review(files, [load_run(run, incomplete=True) for run in runs])
    if found.ratings is None and flags is None:
        raise UserError("no preference is given in these reviews", "Give --flags FILE for what was said of flags")
    console = Terminal()
    for detector, counts in found.flags.items():
        said = say("ratings.flags", detector=detector, agree=counts["agree"], disagree=counts["disagree"])
        console.print(said, markup=False, soft_wrap=True)
    if flags is not None:
        write_flags(flags, found)
        console.print(str(flags), markup=False, soft_wrap=True)
    if found.ratings is not None:
        write_ratings(out, found.ratings)
        print_agreement(console, found.ratings, read_agreement(found.ratings, resampling))
        console.print(str(out), markup=False, soft_wrap=True)


def _labellers(sources: list[Path], names: list[str]) -> list[SeveritySource]:
    from ..harness.core.errors import UserError

    if not names:
        return []
    from ..harness.data.dataset import open_dataset
    from ..harness.data.folder import is_dataset
    from ..harness.labelling.sources.choose import Around, open_sources

    if len(sources) != 1 or not is_dataset(sources[0]):
        raise UserError("--with names sources of severities, not of answers", "Give one dataset, or no --with")
    if len(names) < 2:
        raise UserError("--with takes several sources, which may disagree", "Name each with --with")
    dataset = open_dataset(sources[0])
    return open_sources(names, dataset.language, None, Around(dataset))


def _elsewhere(files: list[Path], key: Path | None, data: Path, severity_map: str | None) -> Ratings:
    from ..harness.core.errors import UserError
    from ..harness.data.dataset import open_dataset
    from ..harness.data.severity_map import read_severity_map
    from ..ratings.elsewhere import ratings_elsewhere

    if key is not None:
        raise UserError("--data and --key are of two kinds", "Give --key for sheets, --data for labels elsewhere")
    dataset = open_dataset(data)
    return ratings_elsewhere(files, dataset, read_severity_map(severity_map, dataset.language))


def _ratings(files: list[Path], key: Path | None) -> Ratings:
    """One file of `maqa ratings import`, or the raters' files with their key."""
    from ..harness.core.errors import UserError
    from ..ratings.collected import is_kept, join, read_ratings
    from ..ratings.sheet import KEY, read_key

    if len(files) == 1 and is_kept(files[0]):
        return read_ratings(files[0])
    beside = [folder / KEY for file in files for folder in (file.parent, file.parent.parent)]
    place = key or next((each for each in beside if each.is_file()), None)
    if place is None:
        raise UserError(f"no {KEY} lies beside {files[0]}", "Give it with --key, or its folder")
    return join(read_key(place), files)
