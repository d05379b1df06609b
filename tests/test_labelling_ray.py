"""Labelling over Ray gives the bytes of the plain way."""

from __future__ import annotations

import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling import stream
from maqa_severity.harness.labelling.ray_engine import ray_engine
from maqa_severity.harness.labelling.sources.choose import open_source
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.classifier.config import ClassifierConfig
from maqa_severity.trainers.classifier.train import train_classifier


@pytest.mark.slow
def test_two_ray_workers_write_the_same_bytes_as_one_process(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'maqa-severity[ray]'")
    monkeypatch.setattr(stream, "BATCH_ROWS", 32)
    rows = handwritten_rows(ARABIC)
    labelled = dataset_from_rows(
        {"train": rows[::2], "test": rows[1::2]}, tmp_path / "labelled", language=ARABIC, source="sample"
    )
    train_classifier(labelled, ClassifierConfig(), tmp_path / "classifier")
    bare = [{**row, "severity": None} for row in rows]
    dataset = dataset_from_rows(
        {"train": bare[:200], "test": bare[200:]}, tmp_path / "in", language=ARABIC, source="sample"
    )
    ray.init(num_cpus=3, log_to_driver=False, logging_level="ERROR")
    try:
        for choice, classifier in (("hybrid", tmp_path / "classifier"), (str(tmp_path / "classifier"), None)):
            source, out = open_source(choice, ARABIC, classifier), tmp_path / f"{len(choice)}"
            plain, counts = stream.label_dataset(dataset, source, out / "plain")
            spread, same = stream.label_dataset(
                dataset, source, out / "ray", engine=ray_engine(choice, ARABIC, classifier, workers=2)
            )
            assert counts == same
            for name in ("train", "test"):
                files = [folder / f"{name}.parquet" for folder in (plain.folder, spread.folder)]
                assert files[0].read_bytes() == files[1].read_bytes()
    finally:
        ray.shutdown()


def test_without_ray_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="Ray is not installed"):
        ray_engine("rules", ARABIC, None, workers=2)
