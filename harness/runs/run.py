"""A run: one model's answers, read from our own folder or from one that plain lm-eval wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..core.errors import UserError
from ..core.files import read_json
from ..core.memory import uncollected
from ..data.dataset import REFERENCES
from ..generation.backends import floor_names
from ..languages import DEFAULT, Language, language
from ..scores.table import CLUSTER, KEY_COLUMNS, ScoreTable, read_scores
from ..severity import Severity
from ..statistics.checks import check_percentages, check_scores
from .asked import Asked, asked_by_lm_eval, asked_by_manifest
from .changed_rows import row_words
from .completeness import lacking
from .manifest import NAME as MANIFEST
from .manifest import Manifest, read_manifest
from .nll import run_nll
from .noise import Noise, read_noise
from .plain_samples import PREDICT_ONLY, our_samples
from .samples import over_samples
from .seals import RESCORED, SCORES, changes, refuse_changed

_PLAIN = "Run lm_eval with `--tasks maqa_severity --log_samples --output_path DIR`, or use `maqa evaluate`"
_RESCORE = "Compute them with `maqa rescore RUN`"
_ANSWER_COLUMNS = ["id", "severity", "category", "question", "reference", "prediction", "prompt"]


@dataclass(frozen=True)
class Saved:
    """The saved answers of one model.

    ``answers`` has the columns ``id, severity, category, question, reference, prediction, prompt``, one row per
    answer; and ``references``, all of each, where a question has several. ``sample_scores`` is what lm-eval wrote
    beside each answer: no metric under ``--predict_only``. ``scores_file`` is where the run's other scores are, if
    it has any. ``language`` is the data's, and ``template`` the prompt's. ``manifest`` is absent for a plain
    lm-eval folder. ``asked`` is what stood in front of the questions, and which rows they are. ``lacks`` says
    which answers a run is without that were made, a line each; empty for a whole one. ``changed`` names the files
    that are not what its seal says, where that was put up with.
    """

    path: Path
    name: str
    answers: pd.DataFrame
    sample_scores: ScoreTable
    scores_file: Path
    decoding: dict[str, Any]
    language: Language
    template: str
    manifest: Manifest | None
    asked: Asked
    lacks: tuple[str, ...] = field(default=(), kw_only=True)
    changed: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def floor(self) -> str | None:
        """Which trivial system answered; None for a model, and where nothing says who did."""
        kind = self.manifest.model.kind if self.manifest else None
        return kind if kind in floor_names() else None


@dataclass(frozen=True)
class Run(Saved):
    """Saved answers with their scores, in the same order: those of ``scores.parquet``, else lm-eval's.

    Where every question has several answers, ``answers`` holds the first of each, and ``scores`` their mean.
    ``noise`` is what asking again showed, if that was done. ``nll`` holds the likelihood of each reference answer,
    in nats per token, where the checkpoint's was measured.
    """

    scores: ScoreTable
    noise: Noise | None = field(default=None, kw_only=True)
    nll: ScoreTable | None = field(default=None, kw_only=True)


def load_run(path: Path, incomplete: bool = False, anyway: bool | None = None) -> Run:
    """Read a run folder, or one ``results_*.json`` of a folder with several.

    Args:
        path: where it is.
        incomplete: whether to take what is left of a run of ours whose samples files are in part gone; ``lacks``
            says what is missing. Plain lm-eval's folders, which may hold one task alone, are always taken so.
        anyway: whether to take a run that was changed after it was written; ``changed`` names the files. None where
            a user is not offered that.

    Raises:
        UserError: there is no run, there are several, it has no scores, or a file of it is missing or damaged,
            or was changed.
    """
    saved = _read_answers(path, incomplete)
    file = saved.scores_file
    if saved.manifest is None and not file.exists():
        scores, source = saved.sample_scores, saved.path
        if not scores.metrics:
            raise UserError(f"{path} has answers without scores, by `lm_eval --predict_only`", _RESCORE)
    else:
        scores, source = read_scores(file), file
        if saved.lacks:
            kept = scores.frame["id"].isin(saved.answers["id"])
            marked = scores.findings[kept].reset_index(drop=True) if scores.findings is not None else None
            scores = replace(scores, frame=scores.frame[kept].reset_index(drop=True), findings=marked)
        if any(scores.frame[column].tolist() != saved.answers[column].tolist() for column in KEY_COLUMNS):
            raise UserError(f"{file} does not hold the rows of the samples files", f"Run `maqa rescore {path}`")
    check_scores(scores, str(source))
    check_percentages(scores, str(source))
    first = scores
    if saved.manifest:
        scores = over_samples(saved.path, scores)
    noise = read_noise(saved.path) if saved.manifest else None
    nll = _nll_of(saved)
    saved = _unchanged(saved, first, (), anyway)
    return Run(**vars(saved), scores=with_clusters(saved, scores), noise=noise, nll=nll)


def _nll_of(saved: Saved) -> ScoreTable | None:
    found = run_nll(saved.path, saved.answers) if saved.manifest else None
    return None if found is None else with_clusters(saved, found)


def with_clusters(saved: Saved, scores: ScoreTable) -> ScoreTable:
    """The scores of a run's answers, with the cluster of each where the run knows."""
    if CLUSTER not in saved.answers:
        return scores
    frame = scores.frame.assign(**{CLUSTER: saved.answers[CLUSTER].to_numpy()})
    return replace(scores, frame=frame)


def load_answers(path: Path, anyway: bool | None = None) -> Saved:
    """Read a run without its scores, which may have been changed.

    Raises:
        UserError: as ``load_run``.
    """
    return _unchanged(_read_answers(path), None, RESCORED, anyway)


def _unchanged(saved: Saved, scores: ScoreTable | None, without: tuple[str, ...], anyway: bool | None) -> Saved:
    """Looked at last: of a file that cannot be read it is of use to know why."""
    if saved.manifest is None:
        return saved
    gone = [name for name in saved.manifest.samples.values() if not (saved.path / name).is_file()]
    if gone and not (saved.path / saved.manifest.results).is_file():
        gone.append(saved.manifest.results)
    found = row_words(saved, scores, changes(saved.path, saved.manifest, (*without, *gone)))
    refuse_changed(saved.path, found, anyway)
    return replace(saved, changed=tuple(found))


def _read_answers(path: Path, incomplete: bool = False) -> Saved:
    folder = path.parent if path.is_file() else path
    if (folder / MANIFEST).is_file():
        manifest = read_manifest(folder)
        if path in (folder, folder / manifest.results):
            samples = [folder / name for name in manifest.samples.values()]
            gone = [file for file in samples if incomplete and not file.is_file()]
            samples = [file for file in samples if file not in gone]
            results_file = folder / manifest.results
            results = _results(results_file) if results_file.exists() else {}
            asked = asked_by_manifest(manifest)
            saved = _saved(manifest.name, samples, results_file, results, folder / SCORES, manifest, asked)
            return (
                saved
                if saved.lacks
                else replace(saved, lacks=tuple(f"{file.name}, which is gone" for file in gone))
            )
    results_file = _results_file(path)
    # `--output_path board.json` names them board_<time>.json.
    stamp = results_file.stem.rpartition("_")[2]
    results = _results(results_file)
    files = our_samples(results_file, results, stamp)
    name = str(results.get("model_name") or results_file.parent.name)
    # lm-eval gathers the results of all runs of one model in one folder.
    scores_file = results_file.with_name(f"scores_{stamp}.parquet")
    asked = asked_by_lm_eval(results, files)
    return _saved(name, list(files.values()), results_file, results, scores_file, None, asked)


def _results(path: Path) -> dict[str, Any]:
    results = read_json(path, _PLAIN)
    if not isinstance(results, dict):
        raise UserError(f"{path} holds no results", _PLAIN)
    return results


@uncollected()
def _saved(
    name: str,
    files: list[Path],
    results_file: Path,
    results: dict[str, Any],
    scores_file: Path,
    manifest: Manifest | None,
    asked: Asked,
) -> Saved:
    if not files:
        raise UserError(f"{results_file} has no samples of our tasks beside it", _PLAIN)
    read = [(file, row) for file in files for row in _sample_rows(file)]
    rows = pd.DataFrame([row for _, row in read])
    if twice := [place for place, again in enumerate(rows["id"].duplicated()) if again]:
        file, row = read[twice[0]]
        raise UserError(f"{file}: the id {row['id']!r} occurs twice", "Give each row its own id")
    metrics = list(dict.fromkeys(name for names in rows["metrics"] for name in names))
    signatures = rows["scoring"].iloc[0]["signatures"]
    if missing := set(metrics) - set(signatures):
        raise UserError(f"{files[0]}: no signature for {', '.join(sorted(missing))}", _PLAIN)
    tongue = language(rows["language"].iloc[0])
    return Saved(
        path=results_file.parent,
        # It is printed in terminals and on pages, which control and direction marks would steer.
        name="".join(character if character.isprintable() else "\ufffd" for character in name),
        answers=rows[[*_ANSWER_COLUMNS, *(name for name in (CLUSTER, REFERENCES) if name in rows)]].copy(),
        sample_scores=ScoreTable(rows[[*KEY_COLUMNS, *metrics]].copy(), signatures),
        scores_file=scores_file,
        decoding=rows["decoding"].iloc[0],
        language=tongue,
        template=rows["template"].iloc[0] or tongue.prompt,
        manifest=manifest,
        asked=asked,
        lacks=tuple(lacking(results, rows["severity"])),
    )


def _results_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"run {path} does not exist", _PLAIN)
    # rglob: for a model path ./x lm-eval writes a hidden folder .__x.
    found = sorted(path.rglob("results_*.json"))
    if not found:
        raise UserError(f"{path} holds no results_*.json", _PLAIN)
    if len(found) > 1:
        raise UserError(f"{path} holds {len(found)} results", f"Name one of them, such as {found[-1]}")
    return found[0]


def _sample_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    try:
        # Not splitlines(): an answer may hold U+2028 and its kin, which JSON leaves as they are.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", _PLAIN) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 at byte {error.start}", _PLAIN) from None
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_sample_row(json.loads(line)))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise UserError(f"{path} line {number} is not a sample of our tasks: {error!r}", _PLAIN) from None
    return rows


def _sample_row(sample: dict[str, Any]) -> dict[str, Any]:
    document, request = sample["doc"], sample["arguments"]["gen_args_0"]
    prompt = request["arg_0"]
    metrics = [metric for metric in sample["metrics"] if metric != PREDICT_ONLY]
    return {
        "id": _text(document["id"]),
        "severity": str(Severity(document["severity"])),
        "category": _text(document["category"]),
        "question": _text(document["question"]),
        "reference": _text(document["answer"]),
        # A run of before, or of data that nobody looked through, says nothing of it.
        **({CLUSTER: document[CLUSTER] and _text(document[CLUSTER])} if CLUSTER in document else {}),
        **({REFERENCES: [_text(each) for each in document[REFERENCES]]} if REFERENCES in document else {}),
        "prediction": _text(sample["filtered_resps"][0]),
        # To a chat endpoint lm-eval sends a tuple of one text.
        "prompt": _text(prompt[0] if isinstance(prompt, list) else prompt),
        "decoding": request["arg_1"],
        "scoring": document["scoring"],
        "language": document.get("language", DEFAULT),
        "template": document.get("template", ""),
        "metrics": metrics,
        **{metric: float(sample[metric]) for metric in metrics},
    }


def _text(value: object) -> str:
    """Text as a file can store it: half a surrogate pair, which no file can, becomes a question mark."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8")
    return value
