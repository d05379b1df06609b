"""The files of a format, and what must be said of them."""

from __future__ import annotations

from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.data.dataset import Dataset
from .formats import Files, Format, Options, Results
from .hf import hub_id
from .words import lacking


def make_files(
    name: str, chosen: Format, found: Results | Dataset, options: Options, source: Path
) -> tuple[Files, list[str]]:
    """The files of a format, and a line for each row whose numbers lack an interval.

    Raises:
        UserError: the format takes something else, or lacks an option.
    """
    if options.model_id:
        hub_id(options.model_id, "--model-id", "the hub id of the model")
    if options.dataset_id:
        hub_id(options.dataset_id, "--dataset-id", "the hub id of the data")
    if isinstance(found, Dataset):
        if chosen.of_dataset is None:
            raise UserError(
                f"--format {name} is made of {chosen.takes}, and {source} is a dataset", "Use --format croissant"
            )
        return chosen.of_dataset(found, options), []
    if chosen.of_results is None:
        raise UserError(
            f"--format {name} is made of {chosen.takes}, which {source} is not", "Name a dataset folder"
        )
    if options.model_id and len(found.models) > 1:
        raise UserError(f"--model-id names one model, and {source} has {len(found.models)}", "Publish a single run")
    return chosen.of_results(found), lacking(found.board)
