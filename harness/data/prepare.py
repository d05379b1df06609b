"""From a source file to a dataset folder: read, clean, split, write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ..core.errors import UserError
from ..core.files import sha256_file, sha256_text
from ..core.folders import working_in
from ..languages import Language
from ..languages.messages import messages
from ..severity import PROBABILITY_COLUMNS
from .answer_languages import answer_languages, language_notes
from .card import (
    Card,
    count_by_split,
    count_severities_by_split,
    length_quantiles,
    likely_language,
    without_letters,
)
from .cleaning import Counts, Reason, Rows, clean_batch, join, without_duplicates
from .clusters import Clusters, cluster_rows, joins_any
from .columns import PROBABILITIES, Role, find_columns, is_doubtful, option, rivals
from .dataset import (
    COLUMNS,
    REFERENCES,
    SPLITS,
    UNKNOWN_CATEGORY,
    Dataset,
    DatasetInfo,
    SeveritySource,
    check_output,
    content_id,
    write_dataset,
)
from .labels import UNLABELLED, LabelReader, most_likely, severity_names
from .layouts import laid_out
from .options import PrepareOptions
from .personal import Personal
from .severity_map import SeverityMap
from .sources import open_source
from .sources.base import IsHeader, Note, Source
from .splitting import split_groups
from .unused import no_severities, unused_notes

_WIDEST_SEARCHED = 1000
CLEANING_VERSION = 2
Progress = Callable[[str, int, int | None], None]
"""Told of a stage, what is done of it and, where known, of how much."""


def _silent(stage: str, done: int, total: int | None) -> None:
    return None


def prepare(source: Path, out: Path, options: PrepareOptions, progress: Progress = _silent) -> tuple[Dataset, Card]:
    """Read a source, drop what cannot be used, split by question and write the dataset folder.

    Question and answer are stored as written but for tags and entities of web pages; records are read as
    ``laid_out`` says. Dropped, and counted by reason, are rows whose question or
    answer has no letter or digit, and all but one of the rows whose question and answer are equal, or equal once
    normalised. Personal data is counted, and with ``options.redact`` replaced by marks. An id that the file gives
    is kept, else it is a digest of question and answer; an empty category is ``unknown``. Severities and
    probabilities are read as in ``LabelReader``.

    The kept rows, their splits and the order of rows in a split depend on the set of rows and the seed, not on the
    order of the rows in the file. A source that is a dataset keeps who decided its severities.

    Args:
        source: a file or folder that a reader is declared for; see ``sources``.
        out: the dataset folder; must be new or empty, or a dataset with ``options.overwrite``.

    Raises:
        UserError: the source cannot be read as what it claims to be, a row of it has an unknown severity,
            probabilities that are none or an id of another row, the splits are larger than the data, the source
            is a dataset of another language, or ``out`` is in use, is the source or cannot be written to.
            Nothing is written then.
    """
    check_output(out, options.overwrite, source)
    with working_in(out):
        # What another process wrote meanwhile is not replaced, either.
        check_output(out, options.overwrite, source)
        return _prepared(source, out, options, progress)


def _prepared(source: Path, out: Path, options: PrepareOptions, progress: Progress) -> tuple[Dataset, Card]:
    opened = open_source(source, options.reading, header_test(source, options), nested=True)
    _check_language(opened, options)
    opened, layout = laid_out(opened, options.columns, options.language)
    roles = _columns(opened, options)
    severities = replace(options.severities, read={}, levels=False)
    unused = _without_doubtful_labels(opened, roles, severities, options)
    labelled = Role.SEVERITY in roles or Role.P_CRITICAL in roles
    left = unused_notes(opened, roles.values(), labelled or bool(unused), severities, option(Role.SEVERITY))
    counts = Counts(personal := Personal(options.language, options.redact))
    read, dropped, rows = _collect(opened, roles, options.language, severities, progress, counts)
    progress("Finding duplicates", 0, None)
    kept, duplicates = without_duplicates(rows)
    dropped |= duplicates
    rows = rows.take(kept)
    _check_ids(opened, rows, roles)
    contradictions = _count_contradictions(opened, rows, roles, options)
    progress("Finding what belongs together", 0, None)
    clusters = cluster_rows(rows, options.language, _cluster_column(opened, rows, roles, options), str(source))
    progress("Splitting", 0, None)
    places = split_groups(clusters.keys, rows.row, rows.ranks, _sizes(opened, len(rows), options), options.seed)
    progress("Writing", 0, None)
    frames = {name: _frame(rows.take(places[name])) for name in SPLITS}
    names = pd.Series(clusters.names, dtype="object")
    if rows.texts["references"].null_count < len(rows):
        for name, frame in frames.items():
            frame[REFERENCES] = _references(rows.take(places[name]))
    for name, frame in frames.items():
        frame["cluster"] = names[places[name]].to_numpy()
    languages = answer_languages(rows.texts["answer"].combine_chunks(), options.language)
    foreign = without_letters(rows.texts["question"].to_pylist(), options.language)
    card = Card(
        columns={str(role): opened.columns[place] for role, place in roles.items()},
        read=read,
        dropped={str(reason): dropped[reason] for reason in Reason},
        kept=len(rows),
        categories=count_by_split(frames, "category"),
        severities=count_severities_by_split(frames),
        lengths=length_quantiles(rows.words),
        contradictions=contradictions,
        parts={name: part.expected_rows or 0 for name, part in opened.parts.items()},
        language=options.language.name,
        foreign=len(foreign),
        likely=likely_language(foreign) if foreign else None,
        clusters=str(clusters),
        read_as=str(severities),
        unused=unused,
        reading=tuple(
            _told([*opened.notes, *left, *personal.notes(), *language_notes(languages, options.language)])
        ),
        answer_languages=languages,
        personal=personal.record(),
        rows=(
            *layout.sentences(),
            *rivals(opened.columns, roles, options.language),
            *counts.sentences(),
            *_blank_severities(rows, roles),
        ),
    )
    info = _info(opened, card, roles, options, clusters)
    return write_dataset(out, frames, info), card


def header_test(source: Path, options: PrepareOptions) -> IsHeader:
    """Whether names hold a question and an answer, as ``find_columns`` finds them."""

    def is_header(names: Sequence[str]) -> bool:
        if len(names) > _WIDEST_SEARCHED:
            return False
        try:
            find_columns(source, names, options.columns, options.language)
        except UserError:
            return False
        return True

    return is_header


def _columns(source: Source, options: PrepareOptions) -> dict[Role, int]:
    try:
        return find_columns(source.path, source.columns, options.columns, options.language)
    except UserError as error:
        if options.reading.get("header_row") or not source.has_header:
            raise
        remedy = f"{error.remedy}; where the header stands in a later row, give it with --header-row"
        raise UserError(error.problem, remedy) from None


def _told(notes: Sequence[Note]) -> Iterator[str]:
    say = messages("en")
    return (say(note.key, **note.values) for note in notes)


def _check_language(source: Source, options: PrepareOptions) -> None:
    if source.language not in (None, options.language.code):
        raise UserError(
            f"{source.path} is a dataset in {source.language!r}, not in {options.language.code!r}",
            f"Give --language {source.language}",
        )


def _collect(
    source: Source,
    roles: dict[Role, int],
    language: Language,
    severities: SeverityMap,
    progress: Progress,
    counts: Counts,
) -> tuple[int, dict[Reason, int], Rows]:
    labels = LabelReader(severities)
    within = {role: place for place, role in enumerate(roles)}
    read, dropped, parts = 0, dict.fromkeys(Reason, 0), []
    for batch in source.batches(list(roles.values())):
        rows, reasons = clean_batch(batch, within, labels, source.where, language, counts)
        parts.append(rows)
        read += len(batch.numbers)
        for reason, count in reasons.items():
            dropped[reason] += count
        progress("Reading", read, source.expected_rows)
    if not read:
        raise UserError(f"{source.path} has a header but no rows", "Give a file with questions and answers")
    if not any(map(len, parts)):
        raise UserError(f"{source.path} has no row with a question and an answer", "Check the chosen columns")
    return read, dropped, join(parts)


def _without_doubtful_labels(
    source: Source, roles: dict[Role, int], severities: SeverityMap, options: PrepareOptions
) -> str:
    """Leave out a column that may hold severities by its name, and does not by its first rows; and say so."""
    place = roles.get(Role.SEVERITY)
    if (
        place is None
        or Role.SEVERITY in options.columns
        or not is_doubtful(source.columns[place], options.language)
    ):
        return ""
    if said := no_severities(source, place, severities, option(Role.SEVERITY)):
        del roles[Role.SEVERITY]
    return said


def _cluster_column(source: Source, rows: Rows, roles: dict[Role, int], options: PrepareOptions) -> str | None:
    """The column of clusters; one that nobody asked for and that puts no two rows together is an id."""
    if Role.CLUSTER not in roles or (Role.CLUSTER not in options.columns and not joins_any(rows)):
        roles.pop(Role.CLUSTER, None)
        return None
    return source.columns[roles[Role.CLUSTER]]


def _check_ids(source: Source, rows: Rows, roles: dict[Role, int]) -> None:
    ids = pd.Series(_ids(rows))
    if (repeated := np.flatnonzero(ids.duplicated())).size:
        row = int(repeated[0])
        other = int(rows.numbers[int(np.flatnonzero(ids == ids[row])[0])])
        raise UserError(
            f"{source.where(int(rows.numbers[row]))} has the id {ids[row]!r} of "
            f"{source.where(other) if source.place else f'row {other}'}",
            f"Make the ids unique, or rename that column, or name another with {option(Role.ID)}",
        )


def _count_contradictions(source: Source, rows: Rows, roles: dict[Role, int], options: PrepareOptions) -> int:
    if Role.SEVERITY not in roles or Role.P_CRITICAL not in roles:
        return 0
    labelled = rows.ranks != UNLABELLED
    count = int((rows.ranks != most_likely(np.nan_to_num(rows.probabilities)))[labelled].sum())
    if count > len(rows) / 2 and Role.P_CRITICAL not in options.columns:
        raise UserError(
            f"{source.path}: the severity is not the most likely one in {count} of {len(rows)} rows,"
            " so the probabilities may stand in another order",
            f"Name them with {option(Role.P_CRITICAL)} NON_CRITICAL,NEUTRAL,CRITICAL",
        )
    return count


def _sizes(source: Source, rows: int, options: PrepareOptions) -> dict[str, int]:
    sizes = {"test": options.test.of(rows), "validation": options.validation.of(rows)}
    if sum(sizes.values()) > rows:
        wanted = " + ".join(f"{size} {name}" for name, size in sizes.items())
        raise UserError(
            f"{wanted} rows are more than the {rows} kept of {source.path}", "Lower --test or --validation"
        )
    return sizes


def _ids(rows: Rows) -> list[str]:
    texts = rows.texts
    cells = zip(*(texts[name].to_pylist() for name in ("id", "question", "answer")), strict=True)
    return [given or content_id(question, answer) for given, question, answer in cells]


def _frame(rows: Rows) -> pd.DataFrame:
    table = {
        "id": pd.Series(_ids(rows), dtype="str"),
        "question": rows.texts["question"].to_pandas(),
        "answer": rows.texts["answer"].to_pandas(),
        "category": pc.fill_null(rows.texts["category"], UNKNOWN_CATEGORY).to_pandas(),
        "severity": pd.Series(severity_names(rows.ranks).to_pandas(), dtype="str"),
    }
    frame = pd.DataFrame(table | dict(zip(PROBABILITY_COLUMNS, rows.probabilities.T, strict=True)))
    return frame[list(COLUMNS)]


def _references(rows: Rows) -> pd.Series:
    """All references of each row, its answer the first."""
    cells = zip(rows.texts["answer"].to_pylist(), rows.texts["references"].to_pylist(), strict=True)
    found = [json.loads(listed) if listed else [answer] for answer, listed in cells]
    return pd.Series(found, dtype="object")


def _blank_severities(rows: Rows, roles: dict[Role, int]) -> list[str]:
    blank = int((rows.ranks == UNLABELLED).sum())
    if Role.SEVERITY not in roles or not blank:
        return []
    return [f"{blank:,} of {len(rows):,} rows kept ({blank / len(rows):.1%}) have no severity"]


def _digest(source: Source) -> str:
    """Of the file; of a folder by the names and digests of the files that hold its data."""
    if not source.files:
        return sha256_file(source.path)
    found = sorted((_named(file, source.path), sha256_file(file)) for file in source.files)
    return sha256_text("".join(f"{name}\x1f{digest}\n" for name, digest in found))


def _named(file: Path, folder: Path) -> str:
    """A file's name in its folder; of one that stands elsewhere its own."""
    name = os.path.relpath(file, folder)
    return file.name if name.startswith("..") else name


def _keeps_labels(options: PrepareOptions) -> bool:
    """Whether the severities are those of a source that is a dataset."""
    return not options.columns.keys() & {Role.SEVERITY, *PROBABILITIES}


def _severity_source(
    source: Source, digest: str, roles: dict[Role, int], options: PrepareOptions
) -> SeveritySource:
    if source.severity_source is not None and _keeps_labels(options):
        return source.severity_source
    labelled = Role.SEVERITY in roles or Role.P_CRITICAL in roles
    return SeveritySource(
        name="column" if labelled else "none", version=str(CLEANING_VERSION), sha256=digest if labelled else None
    )


def _info(
    source: Source, card: Card, roles: dict[Role, int], options: PrepareOptions, clusters: Clusters
) -> DatasetInfo:
    digest = _digest(source)
    return DatasetInfo(
        language=options.language.code,
        source=source.path.name or source.path.resolve().name,
        source_sha256=digest,
        severity_source=_severity_source(source, digest, roles, options),
        cleaning={
            "version": CLEANING_VERSION,
            "columns": card.columns,
            "read": card.read,
            "dropped": card.dropped,
            "kept": card.kept,
            "seed": options.seed,
            "labels_against_probabilities": card.contradictions,
            **({"splits": card.parts} if card.parts else {}),
            **({"severities": card.read_as} if card.read_as else {}),
            **({"reading": list(card.reading)} if card.reading else {}),
            **({"rows": list(card.rows)} if card.rows else {}),
            "answer_languages": dict(card.answer_languages),
            "personal": dict(card.personal),
        },
        clusters=clusters.about,
        labelling=dict(source.labelling) if _keeps_labels(options) else {},
    )
