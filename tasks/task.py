"""The lm-eval task of one severity. Named by ``class`` in every family's ``_template.yaml``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.samplers import FirstNSampler
from lm_eval.api.task import ConfigurableTask
from lm_eval.utils import create_iterator

from ..harness.core.errors import UserError
from ..harness.generation.endings import ending
from ..harness.generation.examples import prompt_stop
from ..harness.languages import Style, language
from ..harness.runs.plain_samples import PREDICT_ONLY
from .examples import examples
from .scored import score_batch

log = logging.getLogger(__name__)
_TOKEN_LIMITS = ("max_new_tokens", "max_tokens", "max_completion_tokens")


class SeverityTask(ConfigurableTask):  # type: ignore[misc]
    """One severity's questions, with what lm-eval's own task leaves wrong for them.

    - An answer ends at the stop strings of its question's language for this style of prompt, by the rule of
      ``harness/generation/endings.py``. lm-eval is handed none of them: it would end answers inside thoughts or at
      their very start. What ``--gen_kwargs until=`` gives stands instead of them and is handed on.
    - ``--num_fewshot`` draws on the training rows (``examples``), never on tested ones.
    - ``--samples`` asks the rows of these numbers under these numbers, whatever their order.
    - All answers are scored in one batch; ``--predict_only`` scores none.

    With ``final_answers`` in the metadata the model hands over answers that have ended.

    Raises:
        UserError: as the documents do; in lm-eval's own command it ends in one line.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        _one_line_errors()
        self._fewshot_seed: int | None = None
        self._chat = False
        super().__init__(config={key: value for key, value in config.items() if key != "class"})

    def fewshot_docs(self) -> None:
        """None, so that training rows are read only where examples are asked for."""

    def set_fewshot_seed(self, seed: int | None = None) -> None:
        """By which the examples are drawn."""
        self._fewshot_seed = seed

    def doc_iterator(
        self, *, rank: int = 0, limit: int | None = None, world_size: int = 1, samples: list[int] | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Documents with their places; with ``samples``, those rows in that order.

        Raises:
            UserError: ``samples`` is empty, or names a row twice or one that is not there.
        """
        if samples is None:
            yield from super().doc_iterator(rank=rank, limit=limit, world_size=world_size)
            return
        rows = len(self.eval_docs)
        if wrong := [row for row in samples if not isinstance(row, int) or not 0 <= row < rows]:
            raise UserError(
                f"--samples asks for row {wrong[0]!r} of {self.config.task}", f"Give numbers from 0 to {rows - 1}"
            )
        if not samples or len(set(samples)) < len(samples):
            raise UserError(
                f"--samples names {'no row' if not samples else 'a row twice'} of {self.config.task}",
                "Name each row once, or leave the task out of --tasks",
            )
        chosen = enumerate(self.eval_docs[row] for row in samples)
        yield from create_iterator(chosen, rank=rank, world_size=world_size)

    def build_all_requests(
        self, *, apply_chat_template: bool = False, cache_requests: bool = False, **settings: Any
    ) -> None:
        """Every document's request."""
        self._chat = apply_chat_template
        if cache_requests:
            log.warning("%s ignores --cache_requests: its key knows neither data nor prompt", self.config.task)
        super().build_all_requests(apply_chat_template=apply_chat_template, **settings)

    def fewshot_context(
        self,
        doc: Mapping[str, Any],
        num_fewshot: int,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        **settings: Any,
    ) -> Any:
        """The prompt: system instruction, examples, question.

        Raises:
            UserError: the data have no training rows, or too few that are unlike the question.
        """
        if num_fewshot < 0:
            raise UserError(f"{num_fewshot} examples cannot be drawn", "Give --num_fewshot 0 or more")
        if num_fewshot:
            self.sampler = FirstNSampler(examples(self._training_rows(), doc, num_fewshot, self._fewshot_seed))
        if system_instruction and not apply_chat_template and not system_instruction[-1].isspace():
            # lm-eval puts nothing between it and the question.
            system_instruction += "\n\n"
        return super().fewshot_context(
            doc,
            num_fewshot,
            system_instruction=system_instruction,
            apply_chat_template=apply_chat_template,
            **settings,
        )

    def construct_requests(self, doc: Mapping[str, Any], ctx: Any, **settings: Any) -> Instance:
        """The request of one document."""
        request = super().construct_requests(doc, ctx, **settings)
        prompt, given = request.args
        request.arguments = (prompt, {**_limited(given), "until": self._given_until or []})
        return request

    def apply_filters(self) -> None:
        """End and score the answers, all in one batch; the requests then say what ended them."""
        answers: Sequence[str] = [self._answer(instance) for instance in self._instances]
        if PREDICT_ONLY not in self._metric_fn_list:
            answers = score_batch([[text] for text in answers], [instance.doc for instance in self._instances])
        for instance, text in zip(self._instances, answers, strict=True):
            instance.filtered_resps["none"] = text

    def dump_config(self) -> dict[str, Any]:
        """lm-eval's record of how it was asked."""
        config: dict[str, Any] = super().dump_config()
        config["generation_kwargs"]["until"] = self._until(self._instances[0].doc)
        return config

    @property
    def _given_until(self) -> list[str] | None:
        until = self.config.generation_kwargs["until"]
        return [until] if isinstance(until, str) else until

    def _until(self, document: Mapping[str, Any]) -> list[str]:
        given = self._given_until
        if given is not None:
            return given
        style = Style.CHAT if self._chat else Style.PLAIN
        return list(prompt_stop(language(document["language"]), style, self.config.num_fewshot or 0))

    def _answer(self, instance: Instance) -> str:
        prompt, decoding = instance.args
        until = self._until(instance.doc)
        instance.arguments = (prompt, {**decoding, "until": until})
        text: str = instance.resps[0]
        if self.config.metadata.get("final_answers"):
            return text
        # To a chat endpoint lm-eval sends a tuple of one text.
        return ending(text, until, prompt=prompt if isinstance(prompt, str) else prompt[0]).text

    def _training_rows(self) -> Any:
        try:
            return self.dataset["train"]
        except KeyError:
            raise UserError(
                f"{self.config.task} has no training rows to draw examples from", "Leave --num_fewshot out"
            ) from None


def _limited(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of several limits lm-eval would take max_gen_toks, which the YAML sets, and not the user's."""
    decoding = dict(given)
    if limits := [decoding.pop(name) for name in _TOKEN_LIMITS if name in decoding]:
        decoding["max_gen_toks"] = limits[0]
    return decoding


def _one_line_errors() -> None:
    """In a command that is not ours, what the user can mend ends in one line as well."""
    if getattr(sys.excepthook, "of_maqa", False):
        return
    other = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, UserError):
            sys.stderr.write(f"maqa: {error}\n")
        else:
            other(kind, error, trace)

    hook.of_maqa = True  # type: ignore[attr-defined]
    sys.excepthook = hook
