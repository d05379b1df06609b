"""An experiment: a grid of models, arms and training seeds under equal conditions. Read from YAML."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from ...harness.core.errors import UserError
from ...harness.core.secrets import without_secrets
from ...harness.core.settings import Record, Role, first_problem, wrong_value
from ...harness.core.yaml_files import read_yaml
from ...harness.generation.backends import BACKENDS, floor_names
from ...harness.generation.config import Kind
from ...harness.generation.decoding import Preset, max_new_tokens
from ...harness.generation.repeats import demand_share
from ...harness.runs.analysis import Analysis, load_analysis
from ...harness.runs.claim import BASELINE, controls_of, named
from ...harness.scores.references import References
from ...harness.statistics import USUAL, Resampling
from ..arms import ARMS, ArmSpec
from ..lm.config import YAML_REMEDY, TrainConfig, merge, validate_config

_LOOKED_AT_AGAIN = {"training", "models", "statistics", "claim", "analysis", "gold"}
DEMO = "demo"
"""Instead of a hub id or folder: a tiny model that is made on the spot."""

SAMPLE = "sample"
"""Instead of a source file: the shipped sample, trained on the grammar and tested on the hand-written rows."""

PLANTED, NULL = "planted-world", "null-world"
"""Instead of a source file: the demo's world in which severities inform, and the one in which they are noise."""

MADE = (SAMPLE, PLANTED, NULL)
"""What is made on the spot instead of being read from a source file."""

FOLDER = Path(__file__).parent


@contextmanager
def _as_value_error() -> Iterator[None]:
    # pydantic adds the key to a ValueError; a UserError would pass it by.
    try:
        yield
    except UserError as error:
        raise ValueError(str(error)) from None


class DataPart(Record):
    """The data: a source file to prepare, a dataset folder, ``sample``, ``planted-world`` or ``null-world``; and
    who decides the severities.

    ``language`` is the code of a source file's language, or which sample or world; a dataset folder says its own.
    ``seed`` is that of a split, or of a world's rows.
    ``label`` is ``none`` (keep what the data says), ``rules``, ``hybrid`` or a classifier's folder.
    """

    source: str
    language: str | None = None
    label: str = "none"
    test: int | float = 0.1
    validation: int | float = 0.1
    seed: int = 0


class ModelPart(Record):
    """A base model: hub id with its revision, folder, or ``demo``. ``training`` overrides the experiment's."""

    name: str
    id: str
    revision: str | None = None
    training: dict[str, Any] = {}


class ArmPart(Record):
    """An arm of ``trainers.arms`` with its scheme, or ``weights`` α, β, γ of its own, or its ``gamma``."""

    arm: str
    scheme: str | None = None
    weights: tuple[float, float, float] | None = None
    gamma: float | None = None

    @field_validator("arm")
    @classmethod
    def _is_known(cls, name: str) -> str:
        with _as_value_error():
            ARMS[name]
        return name

    @model_validator(mode="after")
    def _exists(self) -> ArmPart:
        with _as_value_error():
            self.spec  # noqa: B018
        return self

    @property
    def spec(self) -> ArmSpec:
        """The arm with its scheme, checked."""
        weights = (
            None if self.weights is None else ",".join(str(weight).removesuffix(".0") for weight in self.weights)
        )
        return ArmSpec.of(self.arm, scheme=self.scheme, weights=weights, gamma=self.gamma)


class EvaluationPart(Record):
    """How the checkpoints are evaluated; ``floors`` are trivial systems on the same board.

    ``max_new_tokens`` is how long answers may be, instead of each decoding's own number. ``until`` are stop strings
    instead of those of the prompt. ``repeat_share`` of the questions are asked again, to see how large a difference
    the engine makes by itself. ``secrets`` are taken out of ``model_args`` and are never written down.
    """

    model: Kind = Kind("hf")
    model_args: dict[str, Any] = {}
    secrets: dict[str, str] = Field(default={}, exclude=True, repr=False)
    decodings: list[Preset] = [Preset.GREEDY]
    max_new_tokens: int | None = Field(default=None, ge=1, le=2**20)
    until: list[Annotated[str, Field(min_length=1)]] | None = None
    bertscore_model: str | None = None
    bertscore_layer: int | None = None
    bertscore_window: bool | None = None
    references: References | None = None
    floors: list[Kind] = [Kind(name) for name in floor_names()]
    limit: int | None = Field(default=None, ge=1, le=10**9)
    repeat_share: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _secrets_apart(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("model_args"), dict):
            return values
        public, secrets = without_secrets(values["model_args"])
        return {**values, "model_args": public, "secrets": secrets}

    @property
    def decoding_changes(self) -> dict[str, Any]:
        """What is decoded otherwise than by the presets."""
        return {} if self.max_new_tokens is None else {"max_new_tokens": self.max_new_tokens}

    @property
    def longest_answer(self) -> int:
        """How many tokens an answer may have under any of the decodings."""
        return self.max_new_tokens or max(max_new_tokens(preset) for preset in self.decodings)

    @field_validator("repeat_share")
    @classmethod
    def _is_share(cls, share: float | None) -> float | None:
        with _as_value_error():
            if share is not None:
                demand_share(share)
        return share

    @model_validator(mode="after")
    def _can_be_done(self) -> EvaluationPart:
        backend = BACKENDS[str(self.model)]
        if not backend.weights:
            raise ValueError(f"{self.model} loads no checkpoint")
        if trained := [str(kind) for kind in self.floors if str(kind) not in floor_names()]:
            raise ValueError(f"{trained[0]} is none of the floors {', '.join(floor_names())}")
        try:
            backend.checked(self.model_args)
        except UserError as error:
            raise ValueError(str(error)) from None
        return self


class ClaimPart(Record):
    """That training ``arm`` helps: it has to beat the plain arm and every weighted control ``against`` it."""

    arm: str
    against: list[str] = Field(min_length=1)


class Experiment(Record):
    """A grid: every model × arm × seed is trained, and evaluated under every decoding.

    ``compare`` names the two arms that the reports set against each other, ``claim`` what is claimed of an arm and
    the contrasts that it takes; ``analysis`` is what is declared to be tested, or the path of a file that says it;
    ``gold`` says how right the severities are: a report card, or people's labels by id; by default what travels
    with the data. ``statistics`` holds the seed and number of the resamples behind intervals and tests.
    """

    name: str
    data: DataPart
    models: list[ModelPart] = Field(min_length=1)
    arms: list[ArmPart] = Field(min_length=1)
    seeds: list[int] = Field(default=[0], min_length=1)
    training: dict[str, Any] = {}
    evaluation: EvaluationPart = EvaluationPart()
    compare: tuple[str, str] | None = None
    claim: ClaimPart | None = None
    analysis: Analysis | None = None
    gold: Annotated[str, Field(min_length=1)] | None = None
    statistics: Resampling = USUAL

    @model_validator(mode="after")
    def _names_are_unique(self) -> Experiment:
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name")
        labels = self.labels
        if len(set(labels)) < len(labels):
            raise ValueError("an arm stands twice")
        if unknown := set(self.compare or ()) - set(labels):
            raise ValueError(f"compare names {sorted(unknown)[0]!r}, which is none of {', '.join(labels)}")
        return self

    @model_validator(mode="after")
    def _claim_can_be_judged(self) -> Experiment:
        if self.claim is None:
            return self
        specs = self.spec_names
        told = [self.claim.arm, *self.claim.against]
        if unknown := [label for label in told if label not in specs]:
            raise ValueError(f"claim names {unknown[0]!r}, which is none of {', '.join(specs)}")
        if len(set(told)) < len(told):
            raise ValueError(f"claim names {max(told, key=told.count)!r} twice")
        against = [specs[label] for label in self.claim.against]
        if not any(named(name, BASELINE) for name in against):
            raise ValueError(f"claim.against lacks the plain arm {BASELINE}")
        needed = controls_of(specs[self.claim.arm], list(specs.values()))
        if missing := [label for label, name in specs.items() if name in needed and name not in against]:
            raise ValueError(f"claim.against leaves out the weighted control {missing[0]!r}")
        return self

    @model_validator(mode="after")
    def _analysis_can_be_done(self) -> Experiment:
        if self.analysis is None:
            return self
        if not self.analysis.contrasts:
            raise ValueError("analysis declares no contrasts, so nothing says which arms are tested")
        names = [model.name for model in self.models]
        for what, told, known in (
            ("an arm", self.analysis.arms, list(self.spec_names)),
            ("a model", self.analysis.models, names),
        ):
            if unknown := [name for name in told if name not in known]:
                raise ValueError(f"analysis names {what} {unknown[0]!r}, which is none of {', '.join(known)}")
        return self

    @property
    def spec_names(self) -> dict[str, str]:
        """For each arm's label its name with the scheme."""
        return dict(zip(self.labels, (arm.spec.name for arm in self.arms), strict=True))

    def equals(self, stored: Any) -> bool:
        """Whether a stored experiment is this one, whatever keys there were when it was stored.

        How a training runs, such as its batch size, may have changed: each checkpoint says itself what it needs. So
        may the resamples, the gold and what is claimed or declared, which are looked at again for every board.
        """
        try:
            return type(self).model_validate(stored)._identity() == self._identity()
        except (ValidationError, UserError):
            return False

    def _identity(self) -> dict[str, Any]:
        configs = [training_config(self, model, self.seeds[0]).of_role(Role.IDENTITY) for model in self.models]
        models = [model.model_dump(mode="json", exclude={"training"}) for model in self.models]
        rest = self.model_dump(mode="json", exclude=_LOOKED_AT_AGAIN)
        rest["evaluation"].pop("repeat_share")
        return {**rest, "models": models, "configs": configs}

    @property
    def labels(self) -> list[str]:
        """The arms' names in this experiment: the arm alone where it stands once and no floor is called so, else
        with its scheme."""
        arms, floors = [arm.arm for arm in self.arms], {str(floor) for floor in self.evaluation.floors}
        return [
            arm.arm if arms.count(arm.arm) == 1 and arm.arm not in floors else arm.spec.name for arm in self.arms
        ]


def load_experiment(path: Path) -> Experiment:
    """Read an experiment; a bare name such as ``paper`` is one of the shipped ones.

    Raises:
        UserError: the file is missing or no YAML, a key is unknown, or a value is impossible.
    """
    shipped = FOLDER / f"{path}.yaml"
    file = shipped if not path.exists() and shipped.is_file() else path
    if not file.exists():
        names = ", ".join(sorted(each.stem for each in FOLDER.glob("*.yaml")))
        raise UserError(f"there is no experiment {path}", f"Give a YAML file, or one of the shipped ones: {names}")
    try:
        values = read_yaml(file, YAML_REMEDY)
        if isinstance(values.get("analysis"), str):
            values |= {"analysis": load_analysis(file.parent / values["analysis"])}
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        key, problem, _ = first_problem(error)
        value = wrong_value(error)
        wrong = f"{file}: key {key or 'the experiment'!r}{f' with {value}' if value else ''}: {problem}"
        raise UserError(wrong, "Compare it with the shipped demo.yaml") from None
    for model, seed in product(experiment.models, experiment.seeds):
        training_config(experiment, model, seed, str(file))
    return experiment


def training_config(experiment: Experiment, model: ModelPart, seed: int, where: str = "") -> TrainConfig:
    """The settings of one training: the experiment's, the model's on top, and the seed.

    Raises:
        UserError: a key is unknown or a value is impossible.
    """
    values = merge(experiment.training, model.training)
    return validate_config(merge(values, {"seed": seed}), f"{where or experiment.name}: training")
