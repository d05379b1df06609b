"""``maqa train classifier``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..harness.core.console import Terminal
from .checks import checked
from .train import train


@train.command("classifier")
def train_classifier(
    dataset: Annotated[Path, typer.Argument(help="The labelled dataset folder.")],
    out: Annotated[Path, typer.Option(help="A new folder for the classifier and its report card.")],
    base: Annotated[
        str, typer.Option(help="A checkpoint for transformers, a local folder or a hub id; tfidf for none.")
    ] = "tfidf",
    kind: Annotated[
        str | None,
        typer.Option(
            help="tfidf; embedding: a regression over the frozen --base; stacked: tfidf, the rules' triage, and "
            "the frozen --base if given; transformers: the --base fine-tuned. Left out: transformers with a --base."
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub id.")] = None,
    folds: Annotated[
        int, typer.Option(help="Report card by this many folds that cut no group of rows; 0: on the test split.")
    ] = 0,
    under_triage_cost: Annotated[
        float | None,
        typer.Option(
            help="Missing an emergency costs so many times as much as any other step, and labels are the least "
            "costly. Left out: the most probable severity is the label."
        ),
    ] = None,
    inverse_regularisation: Annotated[
        float | None, typer.Option(help="C of the regression; left out: inner folds choose it.")
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Put before every text for a frozen base, such as 'query: ' for e5.")
    ] = "",
    loss: Annotated[
        str, typer.Option(help="What fine-tuning minimises: ordinal counts how far it misses, cross-entropy not.")
    ] = "ordinal",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    epochs: Annotated[int, typer.Option(help="At most so many epochs (transformers).")] = 5,
    batch_size: Annotated[int, typer.Option(help="Rows per step (transformers).")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate (transformers).")] = 2e-5,
    max_length: Annotated[int, typer.Option(help="Tokens at which complaints are cut (with a --base).")] = 128,
    patience: Annotated[int, typer.Option(help="Epochs without progress before stopping (transformers).")] = 2,
) -> None:
    """Train a severity classifier, calibrate it, and write its report card beside the rules' and the hybrid's."""
    from ..harness.core.files import read_json, write_json
    from ..harness.data.dataset import open_dataset
    from ..harness.labelling.sources.classifier import NOTE
    from ..harness.labelling.sources.classifier_info import Kind
    from ..trainers.classifier.config import ClassifierConfig
    from ..trainers.classifier.train import train_classifier as run
    from .card_tables import card_tables, not_by_people
    from .label_audit import AUDIT, audit_before_training
    from .progress import rows_bar

    with checked("maqa train classifier --help"):
        config = ClassifierConfig.model_validate(
            {
                "base": base,
                "kind": kind,
                "revision": revision,
                "seed": seed,
                "under_triage_cost": under_triage_cost,
                "inverse_regularisation": inverse_regularisation,
                "prefix": prefix,
                "loss": loss,
                "epochs": epochs,
                "batch_size": batch_size,
                "learning_rate": learning_rate,
                "max_length": max_length,
                "patience": patience,
            }
        )
    opened = open_dataset(dataset)
    console = Terminal()
    found = audit_before_training(console, opened)
    rows = opened.info.counts["train"]["rows"] * (epochs if config.kind is Kind.TRANSFORMERS else 1)
    with rows_bar("training", rows) as advance:
        cards = run(opened, config, out, folds=folds, progress=advance)
    if found is not None:
        write_json(out / AUDIT, found.model_dump(mode="json"))
    console.print(card_tables(cards))
    if warning := not_by_people(opened.info):
        console.print(warning, markup=False, soft_wrap=True)
    note = read_json(out / NOTE, "Train it again")
    console.print(
        f"Temperature {note['temperature']:.3f}, calibrated on {note['calibrated_on']}",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"Classifier written to {out}", markup=False, soft_wrap=True)
