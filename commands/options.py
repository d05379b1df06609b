"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..harness.core.errors import UserError
from ..harness.scores.references import References

if TYPE_CHECKING:
    from ..harness.statistics import Resampling

LanguageCode = Annotated[str | None, typer.Option(help="Code of the language, such as en; Arabic by default.")]
RESAMPLES = "Of the bootstrap and of the tests' random signs, 100 to 1,000,000; 10,000 by default."
Resamples = Annotated[int | None, typer.Option(help=RESAMPLES)]
Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway",
        help="Compare runs of other data, prompts, decoding, backends or training, or that were changed after they "
        "were written; it is said.",
    ),
]
Changed = Annotated[
    bool, typer.Option("--anyway", help="Take runs that were changed after they were written; it is said.")
]
AnalysisFile = Annotated[
    Path | None,
    typer.Option(
        "--analysis", metavar="FILE", help="A YAML file of what is tested; all else is headed exploratory."
    ),
]
Look = Annotated[
    int | None, typer.Option(help="Which of the analysis's planned looks at the data this is, from 1.")
]
People = Annotated[
    Path | None,
    typer.Option("--people", help="The file of `maqa ratings meta --json`: how far the metric agrees with people."),
]
JudgeFolder = Annotated[
    Path | None,
    typer.Option(
        "--judge",
        metavar="FOLDER",
        help="The folder of `maqa judge` over these runs: its scores, beside how far they agree with people.",
    ),
]
FiguresFolder = Annotated[
    Path | None,
    typer.Option(
        "--figures", metavar="DIR", help="A folder for the page's pictures too, as PNG and SVG sized for a paper."
    ),
]
GoldFile = Annotated[
    Path | None,
    typer.Option(
        "--gold",
        help="How right the severities are: the report_card.json of their source, or people's labels (id, "
        "severity); by default what travelled with the runs.",
    ),
]


def encoder_option(panel: str | None = None) -> Any:
    """``--bertscore-model``; ``panel`` is where a command's help shows it."""
    return typer.Option(
        envvar="MAQA_BERTSCORE_MODEL",
        help="Hub id or folder of the BERTScore encoder, or `none`; the paper's by default.",
        rich_help_panel=panel,
    )


def layer_option(panel: str | None = None) -> Any:
    """``--bertscore-layer``."""
    return typer.Option(
        envvar="MAQA_BERTSCORE_LAYER",
        help="Layer of the encoder; the known one of a known encoder by default.",
        rich_help_panel=panel,
    )


def window_option(panel: str | None = None) -> Any:
    """``--bertscore-window``."""
    return typer.Option(
        envvar="MAQA_BERTSCORE_WINDOW",
        help="Read texts beyond the encoder's maximum in overlapping windows, or cut them there (the default).",
        rich_help_panel=panel,
    )


def references_option(panel: str | None = None) -> Any:
    """``--references``."""
    return typer.Option(
        envvar="MAQA_REFERENCES",
        help="Similarity to several references of a question: with the first (by default), the best, or the mean.",
        rich_help_panel=panel,
    )


Encoder = Annotated[str | None, encoder_option()]
EncoderLayer = Annotated[int | None, layer_option()]
EncoderWindow = Annotated[bool | None, window_option()]
OverReferences = Annotated[References | None, references_option()]
SeverityMapText = Annotated[
    str | None,
    typer.Option(
        "--severity-map",
        metavar="MAP",
        help="What severities mean: 1=critical,2=neutral,3=non_critical, or a file of value and severity.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Of the resamples and the random signs; 0 by default.")]


def was_given(context: typer.Context, option: str) -> bool:
    """Whether an option stands on the command line, whatever its default is."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def demand_effect(effect: float) -> None:
    """Raises:
    UserError: ``--effect`` is no difference between two scores.
    """
    if not 0 < effect <= 100:
        raise UserError(f"--effect {effect:g} is no difference to find", "Give points above 0 and up to 100")


def resampling_of(seed: int | None, resamples: int | None, command: str) -> Resampling:
    """The record of both options; what is not given is as usual.

    Raises:
        UserError: one is out of its range; names ``command`` as the place to read about it.
    """
    from ..harness.statistics import Resampling
    from .checks import checked

    given = {"seed": seed, "resamples": resamples}
    with checked(f"{command} --help"):
        return Resampling(**{name: value for name, value in given.items() if value is not None})


def model_arguments(text: str) -> dict[str, Any]:
    """The arguments of ``--model-args``: ``name=value,...`` as lm-eval reads it, or a JSON object.

    Raises:
        UserError: what begins like JSON is none, an argument has no name or no ``=``, or stands twice. It is not
            shown, for it may be half a key.
    """
    from lm_eval.utils import simple_parse_args_string

    from ..harness.core.secrets import as_written

    if text.lstrip().startswith("{"):
        return _json_arguments(text)
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    for number, (name, equals, _) in enumerate(parts, start=1):
        if not (equals and name.strip()):
            raise UserError(
                f"--model-args has no name=value in its part {number} of {len(parts)}",
                'A value with a comma is written as JSON: {"name": "value"}',
            )
    _demand_once([name.strip() for name, _, _ in parts])
    text = ",".join(f"{name.strip()}={value.strip()}" for name, _, value in parts)
    return as_written(text, simple_parse_args_string(text))


def _json_arguments(text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _demand_once([name for name, _ in pairs])
        return dict(pairs)

    try:
        found: dict[str, Any] = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        remedy = 'Write name=value,name=value, or {"name": "value"}'
        raise UserError("--model-args begins with { and is no JSON", remedy) from None
    return found


def _demand_once(names: list[str]) -> None:
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UserError(f"--model-args gives {twice[0]} twice", "Give it once")
