"""Labelling over a Ray cluster: the same batches through the same source, so the same bytes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..core.ray_cluster import cluster, installed
from ..languages import Language
from ..languages import language as language_of
from .sources.base import Labels, SeveritySource, labels_of
from .sources.choose import open_source
from .stream import Batch, Engine


class _Worker:
    """Holds the source in one worker process."""

    def __init__(self, choice: str, code: str, classifier: str | None, sha256: str) -> None:
        self.source = open_source(choice, language_of(code), Path(classifier) if classifier else None)
        if self.source.sha256 != sha256:
            raise RuntimeError(f"this worker's severity source is {self.source.sha256}, not {sha256}")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        found = labels_of(self.source, list(row["questions"]))
        # Bytes, since a cast on the way would change them.
        return {
            "at": row["at"],
            "probabilities": np.ascontiguousarray(found.probabilities).tobytes(),
            "levels": found.levels.tobytes(),
            "discriminators": found.discriminators,
        }


def ray_engine(choice: str, language: Language, classifier: Path | None, workers: int) -> Engine:
    """An engine of Ray Data actors, each of which opens the source anew.

    Uses the cluster of ``RAY_ADDRESS`` if that is set, else a local one. Files that the source reads must be
    visible to every worker.

    Raises:
        UserError: Ray is not installed.
    """
    installed()
    choice = str(Path(choice).resolve()) if Path(choice).is_dir() else choice

    def engine(source: SeveritySource, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Labels]]:
        kept = list(batches)
        if not kept:
            return
        with cluster(workers + 1) as ray:
            # Ray's own bars and notes would mix with the command's.
            ray.data.DataContext.get_current().enable_progress_bars = False
            logging.getLogger("ray.data").setLevel(logging.WARNING)
            rows = ray.data.from_items(
                [{"at": at, "questions": questions} for at, (_, _, questions) in enumerate(kept)],
                override_num_blocks=len(kept),
            )
            path = str(classifier.resolve()) if classifier else None
            labelled = rows.map(
                _Worker,
                fn_constructor_args=(choice, language.code, path, source.sha256),
                compute=ray.data.ActorPoolStrategy(size=min(workers, len(kept))),
            )
            for row in labelled.iter_rows():
                yield (
                    kept[row["at"]],
                    Labels(
                        np.frombuffer(row["probabilities"]).reshape(-1, 3),
                        np.frombuffer(row["levels"], np.int8),
                        list(row["discriminators"]),
                    ),
                )

    return engine
