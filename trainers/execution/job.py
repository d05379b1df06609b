"""What every worker is told of an experiment, whichever of its cells it does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...harness.data.dataset import Dataset, open_dataset
from ...harness.evaluation.options import EvaluationOptions
from ...harness.generation.backends import BACKENDS, Backend
from ...harness.generation.config import GenerationConfig, Kind
from ...harness.generation.decoding import Preset, decoding
from ...harness.languages import Style
from ..experiments.config import Experiment, ModelPart, training_config
from ..experiments.grid import Cell, base_of, cells, run_folder

if TYPE_CHECKING:
    from ...harness.evaluation.together import Wanted


@dataclass(frozen=True)
class Job:
    """An experiment whose dataset and tiny models are there.

    Attributes:
        experiment: as it was asked for.
        out: its folder.
        data: the folder of the labelled dataset.
        encoder: of BERTScore, and its layer; None for what the environment says.
        command: what the runs say made them.
        engines: what an engine set that has answered ahead, by cell and decoding.
    """

    experiment: Experiment
    out: Path
    data: Path
    encoder: tuple[str | None, int | None] = (None, None)
    command: str | None = None
    engines: dict[tuple[str, Preset], dict[str, object]] = field(default_factory=dict, compare=False)

    @cached_property
    def dataset(self) -> Dataset:
        """The labelled dataset."""
        return open_dataset(self.data)

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Every cell by its label, once it was looked which are the same training."""
        return {cell.label: cell for cell in cells(self.experiment, self.out)}

    @property
    def floors(self) -> list[str]:
        """The labels of the trivial systems."""
        return [str(kind) for kind in self.experiment.evaluation.floors]

    @property
    def labels(self) -> list[str]:
        """All that will stand on the board, in the order of the work."""
        return [*self.cells, *self.floors]

    @property
    def backend(self) -> Backend:
        """Who answers."""
        return BACKENDS[str(self.experiment.evaluation.model)]

    def base(self, model: ModelPart) -> str:
        """Folder or hub id of a model."""
        return base_of(model, self.out)

    def run(self, label: str, preset: Preset) -> Path:
        """The run folder of a cell or floor under a decoding."""
        return run_folder(self.experiment, preset, label, self.out)

    def train(self, label: str) -> None:
        """Train a cell, or go on with it.

        Raises:
            UserError: as ``train_lm``.
        """
        from ..lm.curves import write_experiment_curves
        from ..lm.train import train_lm

        cell = self.cells[label]
        config = training_config(self.experiment, cell.model, cell.seed)
        base, revision = self.base(cell.model), cell.model.revision
        train_lm(self.dataset, base, cell.arm.spec, config, cell.checkpoint, revision=revision, also=cell.arms[1:])
        trained = {label: each.checkpoint for label, each in self.cells.items()}
        write_experiment_curves(self.out, self.experiment.name, trained)

    def evaluate(self, label: str, preset: Preset) -> None:
        """Evaluate a cell or a floor under a decoding, or go on with it.

        Raises:
            UserError: as ``evaluate``.
        """
        from ...harness.evaluation.evaluate import evaluate
        from ...tasks import FOLDER, GROUP

        wanted = self.wanted(label, preset)
        evaluate(wanted.config, wanted.options, FOLDER, GROUP, self.engines.get((label, preset)))

    def answer_ahead(self, labels: Sequence[str], preset: Preset) -> None:
        """Let one engine each answer for the cells of a base, where the backend can; ``evaluate`` does the rest.

        Raises:
            UserError: as ``evaluate``.
        """
        from ...harness.evaluation.together import answer_ahead, together
        from ...tasks import FOLDER, GROUP

        wanted = [self.wanted(label, preset) for label in labels]
        for places in together(wanted):
            found = answer_ahead([wanted[place] for place in places], FOLDER, GROUP)
            self.engines.update(
                {(labels[place], preset): each for place, each in zip(places, found, strict=True) if each}
            )

    def wanted(self, label: str, preset: Preset) -> Wanted:
        """The evaluation of a cell or a floor under a decoding."""
        from ...harness.evaluation.together import Wanted

        part, run, tongue = self.experiment.evaluation, self.run(label, preset), self.dataset.language
        kind, given = self._system(label)
        chat = self._in_chat(label)
        config = GenerationConfig(
            kind=kind,
            model_args=given,
            decoding=decoding(
                preset, tongue, Style.CHAT if chat else Style.PLAIN, until=part.until, **part.decoding_changes
            ),
            chat_template=chat,
            answer=tongue.referral,
            data=self.dataset.folder,
            store=run / "answers",
            repeat_share=part.repeat_share,
        )
        options = EvaluationOptions(
            out=run,
            data=self.dataset.folder,
            bertscore_model=self.encoder[0],
            bertscore_layer=self.encoder[1],
            bertscore_window=part.bertscore_window,
            references=part.references,
            limit=part.limit,
            name=self.cells[label].shown if label in self.cells else label,
            command=self.command,
        )
        return Wanted(config, options)

    def _in_chat(self, label: str) -> bool:
        """Whether a cell is asked in its chat template: as it is trained."""
        if label not in self.cells:
            return False
        cell = self.cells[label]
        return bool(training_config(self.experiment, cell.model, cell.seed).chat_template)

    def _system(self, label: str) -> tuple[Kind, dict[str, Any]]:
        if label not in self.cells:
            return Kind(label), {}
        part = self.experiment.evaluation
        return part.model, {**part.model_args, **part.secrets, "pretrained": str(self.cells[label].checkpoint)}

    def environment(self) -> dict[str, str]:
        """What of this process's environment changes results, so that a worker has to have it too."""
        names = (*self.backend.environment, *(name for name in os.environ if name.startswith("MAQA_")))
        return {name: os.environ[name] for name in names if name in os.environ}
