"""The tasks through lm-eval's Python interface, into a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.errors import Interrupted, UserError
from ..core.files import read_json, write_json
from ..data.dataset import open_dataset
from ..generation.config import GenerationConfig
from ..generation.stored import StoredModel
from ..languages import DEFAULT
from ..runs.manifest import NAME as MANIFEST
from ..runs.noise import read_noise
from ..runs.run import Run, load_run
from ..runs.seals import is_open
from .as_trained import as_trained
from .lm_eval_tasks import requests_of, run_tasks
from .options import EvaluationOptions
from .saving import add_nll, save_run

_REQUEST = "request.json"


def evaluate(
    config: GenerationConfig,
    options: EvaluationOptions,
    tasks: Path,
    group: str,
    defaults: Mapping[str, object] | None = None,
) -> Run:
    """Generate, score and save one run; a run that is whole already is read, not made again.

    Args:
        config: who answers, and how.
        options: on what, and where to.
        tasks: the folder of the lm-eval tasks.
        group: their group.
        defaults: what an engine set that has answered already, for the manifest.

    Raises:
        UserError: the data, the model or the encoder cannot be read, a severity has no row, or the folder holds
            another run or cannot be written to; the user interrupted. Answers generated so far are kept.
    """
    options = as_trained(config, options)
    model = StoredModel(config)
    model.defaults = dict(defaults or {})
    started = datetime.now(UTC)
    with claimed(model, options) as whole, answers_kept(config):
        if not whole:
            results = run_tasks(model, tasks, group, options)
            save_run(model, options, results, started)
    return add_nll(load_run(options.out), config, options)


def evaluate_shard(config: GenerationConfig, options: EvaluationOptions, tasks: Path, group: str) -> int:
    """Generate the answers of ``config.shard`` into its part of the store. Returns their number.

    Raises:
        UserError: as ``evaluate``.
    """
    options = as_trained(config, options)
    model = StoredModel(config)
    with claimed(model, options), answers_kept(config):
        return model.generate_shard(requests_of(model, tasks, group, options))


@contextmanager
def answers_kept(config: GenerationConfig) -> Iterator[None]:
    """Within, an interruption and a disk that fails are told in one line, which says where the answers are kept."""
    remedy = "Run the same command again to continue"
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; the answers are kept in {config.store}", remedy) from None
    except OSError as error:
        if error.errno is None:
            raise
        where = error.filename or config.store
        raise UserError(
            f"{where}: {error.strerror}; the answers are kept in {config.store}", f"Mend it. {remedy}"
        ) from error


@contextmanager
def claimed(model: StoredModel, options: EvaluationOptions) -> Iterator[bool]:
    """Within, the folder is this run's, so that no other gets mixed in; yields whether the run is whole already.

    What fails before the first answer gives a new claim back: the corrected command is another run.
    """
    path = options.out / _REQUEST
    mine = not path.is_file()
    whole = _is_whole(path, model, options)
    try:
        yield whole
    except BaseException:
        if mine and not len(model.store):
            path.unlink(missing_ok=True)
            with suppress(OSError):
                options.out.rmdir()
        raise


def _is_whole(path: Path, model: StoredModel, options: EvaluationOptions) -> bool:
    """Whether the run is there; where it is not, note what it will be."""
    request = {
        "identity": model.identity,
        "samples": model.config.samples,
        "options": options.model_dump(mode="json", exclude={"command", "out"}),
        # The same folder may hold other rows tomorrow.
        "data_sha256": open_dataset(options.data).info.sha256.get("test") if options.data else None,
    }
    remedy = "Choose another --out, or delete the folder"
    if path.is_file():
        recorded = read_json(path, remedy)
        if not isinstance(recorded, dict) or _filled(request, recorded) != request:
            raise UserError(f"{options.out} holds another run, by {path}", remedy)
        there = (options.out / MANIFEST).is_file() and not is_open(options.out)
        whole = there and not model.config.retry_refused
        return whole and _asked_again(options.out, model.config)
    # What a kill left of a file that was being written is hidden; another shard may write the same one right now.
    if options.out.is_dir() and any(other != path for other in options.out.glob("[!.]*.json")):
        raise UserError(f"{options.out} holds something else", remedy)
    write_json(path, request)
    return False


def _asked_again(out: Path, config: GenerationConfig) -> bool:
    """Whether as many questions of a run that is whole were asked again as are to be."""
    noise = read_noise(out) if config.repeat_share is not None else None
    return config.repeat_share is None or (noise is not None and noise.share == config.repeat_share)


def _filled(request: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """What was noted when the run was begun; a key that is not there was not noted yet, an option not known yet."""
    options = recorded.get("options")
    if isinstance(options, dict):
        usual = EvaluationOptions(out=Path(), language=None if options.get("data") else DEFAULT)
        known = usual.model_dump(mode="json", exclude={"command", "out"})
        recorded = {**recorded, "options": {**known, **options}}
    return {**request, **recorded}
