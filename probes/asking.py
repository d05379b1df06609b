"""Ask a model the texts of a design, and write what it answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.core.files import atomic, ensure_writable, read_json, write_json, write_text
from ..harness.core.secrets import redact
from ..harness.evaluation.evaluate import answers_kept
from ..harness.generation.config import GenerationConfig
from ..harness.generation.records import FinishReason
from ..harness.generation.stored import StoredModel
from ..harness.languages import Language, Part
from ..harness.languages.sentences import known_again, sentence, together
from ..harness.metrics.base import Answers
from ..harness.metrics.safety.card import is_current, safety_card
from ..harness.metrics.safety.over_referral import OverReferral
from ..harness.metrics.safety.referral import Referral
from ..harness.metrics.screening import screening
from ..harness.severity import Severity
from ..harness.statistics import USUAL, Resampling
from .design import FACTORS, ROUGH_BELOW, Design, Kind, Written, left_out, levels, written
from .page import probe_page
from .reading import MISSED, OVER, URGENT, effects, rates, severity_of, strata
from .records import Answered, Probe
from .vignettes import vignettes
from .words import compared, stratum_words

ANSWERS, PROBE, PAGE, _REQUEST = "answers.parquet", "probe.json", "index.html", "probe_request.json"


def probe(
    config: GenerationConfig,
    design: Design,
    language: Language,
    out: Path,
    name: str | None = None,
    command: str = "",
    resampling: Resampling = USUAL,
) -> Probe:
    """Ask, score and write ``answers.parquet``, ``index.html`` and, last, ``probe.json``.

    Answers come from the store, and from the model where the store has none: the same call goes on where it was
    stopped, and asks nothing of a whole one.

    Raises:
        UserError: the language has no cases or no detectors, the model cannot be read, or the folder holds another
            probe or cannot be written to; the user interrupted. Answers generated so far are kept.
    """
    language.demand(Part.SAFETY)
    texts = written(design, language)
    ensure_writable(out / PROBE)
    model = StoredModel(config)
    started = datetime.now(UTC)
    with _claimed(model, design, language, out), answers_kept(config):
        said = _ask(model, texts, language)
    frame = scored(texts, said, language)
    ways = {factor: levels(factor, language) for factor in FACTORS}
    found = rates(frame, resampling), effects(frame, ways, design.factors, resampling)
    source = vignettes(language)
    result = Probe(
        name=name or str(config.model_args.get("pretrained") or config.model_args.get("model") or config.kind),
        created=started.isoformat(timespec="seconds"),
        command=redact(command),
        language=language.code,
        about=known_again(source.about, "probe.about"),
        vignettes=source.digest,
        design=design,
        left_out=left_out(design, language),
        model=str(config.kind),
        model_args=config.model_args,
        identity=model.identity,
        decoding=config.decoding.model_dump(mode="json"),
        screening=screening(language, _signatures(language)),
        signatures=_signatures(language),
        resampling=resampling,
        answers=Answered(
            all=len(frame),
            refused=int((frame["finish_reason"] == FinishReason.ERROR).sum()),
            cut=int((frame["finish_reason"] == FinishReason.LENGTH).sum()),
        ),
        rates=found[0],
        effects=found[1],
        compared=compared(*found),
        notes=_notes(frame, language),
    )
    with atomic(out / ANSWERS) as temporary:
        frame.to_parquet(temporary, index=False)
    write_text(out / PAGE, probe_page(result, frame, language))
    write_json(out / PROBE, result.model_dump(mode="json"))
    return result


def scored(texts: Sequence[Written], said: pd.DataFrame, language: Language) -> pd.DataFrame:
    """One row per text with its answer and what the detectors say of it.

    ``urgent_referral`` is of every text, whatever its level; ``missed_emergency`` of emergencies, ``over_referral``
    of twins, NaN of the others.

    Args:
        texts: what was asked.
        said: columns ``answer``, ``finish_reason``, ``tokens``, row by row.
    """
    frame = pd.DataFrame([{"id": text.id, **vars(text)} for text in texts])
    frame["kind"] = [text.kind.value for text in texts]
    frame["wanted"] = [str(text.wanted) for text in texts]
    frame["severity"] = [str(severity_of(text.level)) for text in texts]
    frame = pd.concat([frame, said.reset_index(drop=True)], axis=1)
    predictions = said["answer"].tolist()
    every = Answers(predictions, [""] * len(frame), frame["question"].tolist(), [Severity.CRITICAL] * len(frame))
    referral = Referral(language).score(every)
    harmless = [Severity.NON_CRITICAL if kind == Kind.TWIN else Severity.CRITICAL for kind in frame["kind"]]
    over = OverReferral(language).score(Answers(predictions, [""] * len(frame), None, harmless))
    emergency = (frame["kind"] == Kind.EMERGENCY).to_numpy()
    return frame.assign(
        **{
            URGENT: referral["urgent_referral"],
            MISSED: np.where(emergency, referral["missed_emergency"], np.nan),
            OVER: over["over_referral"],
        }
    )


def _ask(model: StoredModel, texts: Sequence[Written], language: Language) -> pd.DataFrame:
    from lm_eval.api.instance import Instance

    config = model.config

    def prompt(question: str) -> str:
        asked = language.ask(question)
        return model.apply_chat_template([{"role": "user", "content": asked}]) if config.chat_template else asked

    requests = [
        Instance(
            request_type="generate_until",
            doc={"id": text.id, "severity": str(severity_of(text.level)), "question": text.question},
            arguments=(prompt(text.question), config.decoding.gen_kwargs()),
            idx=0,
        )
        for text in texts
    ]
    model.generate_until(requests)
    return pd.DataFrame(
        {
            "answer": [answer.text for answer in model.answers],
            "finish_reason": [str(answer.finish_reason) for answer in model.answers],
            "tokens": [answer.tokens for answer in model.answers],
        }
    )


def _signatures(language: Language) -> dict[str, str]:
    every = {**Referral(language).signatures, **OverReferral(language).signatures}
    return {name: every[name] for name in (URGENT, MISSED, OVER)}


def _notes(frame: pd.DataFrame, language: Language) -> list[str]:
    refused = int((frame["finish_reason"] == FinishReason.ERROR).sum())
    cut = int((frame["finish_reason"] == FinishReason.LENGTH).sum())
    found: list[str] = []
    card = safety_card(language) if language.knows(Part.CARD) else None
    if card and is_current(card, language) and (measured := card.behind(URGENT)):
        by = sentence("probe.note.by") if URGENT in card.other_author else ""
        measures = {"recall": measured.recall, "precision": measured.precision}
        found.append(sentence("probe.note.card", by=by, **measures))
    if refused:
        found.append(sentence("probe.note.refused", n=refused, all=len(frame)))
    if cut:
        found.append(sentence("probe.note.cut", n=cut, all=len(frame)))
    few = [name for name, rows in strata(frame).items() if rows["case"].nunique() < ROUGH_BELOW]
    if few:
        found.append(sentence("probe.note.few", least=ROUGH_BELOW, strata=together(map(stratum_words, few))))
    return found


@contextmanager
def _claimed(model: StoredModel, design: Design, language: Language, out: Path) -> Iterator[None]:
    """Within, the folder is this probe's; what fails before the first answer gives a new claim back."""
    path, remedy = out / _REQUEST, "Choose another --out, or delete the folder"
    asked: dict[str, Any] = {
        "identity": model.identity,
        "design": design.model_dump(mode="json"),
        "language": language.code,
        "vignettes": vignettes(language).digest,
    }
    mine = not path.is_file()
    if not mine and read_json(path, remedy) != asked:
        raise UserError(f"{out} holds another probe, by {path}", remedy)
    if mine:
        if out.is_dir() and any(out.glob("[!.]*.json")):
            raise UserError(f"{out} holds something else", remedy)
        write_json(path, asked)
    try:
        yield
    except BaseException:
        if mine and not len(model.store):
            path.unlink(missing_ok=True)
            with suppress(OSError):
                out.rmdir()
        raise
