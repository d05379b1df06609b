"""The model that an evaluation is given: lm-eval's interface, with every answer going through the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from ..core.errors import UserError
from .chat import BY_THE_SERVER, chat_tokenizer, in_template
from .config import GenerationConfig
from .credentials import use_hub_token
from .finish import thinking_cut
from .records import Prompt
from .repeats import again, chosen, regrouped
from .store.identity import identity
from .store.lines import Answer, canonical
from .store.shards import shard_name, shard_of
from .store.store import Store, answer_key
from .workers.failures import kept
from .workers.progress import AnswerProgress
from .workers.workers import Workers, load_workers

log = logging.getLogger(__name__)


class StoredModel(LM):  # type: ignore[misc]
    """Answers from the store, and from the model where the store has none.

    The model is loaded only if an answer is missing, and released as soon as none is, so that the accelerator is
    free for scoring.

    Attributes:
        config: what was asked for.
        identity: everything that changes an answer.
        prompts: after ``generate_until``, one per question and sample, in the order of the questions.
        answers: one per prompt.
        repeats: the prompts that were asked again, all samples, with the second answer to each.
        defaults: what was set for the user; empty as long as no model was loaded.
    """

    def __init__(self, config: GenerationConfig) -> None:
        super().__init__()
        self.config = config
        use_hub_token(config)
        self.identity = identity(config)
        self.store = Store(config.store, self.identity, shard_name(*config.shard) if config.shard else "")
        self.prompts: list[Prompt] = []
        self.answers: list[Answer] = []
        self.repeats: list[tuple[Prompt, Answer]] = []
        self.defaults: dict[str, object] = {}

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """One text per request: sample 0 of each question; the others are in ``answers``.

        Raises:
            UserError: the store cannot be written, memory ran out, the engine died, or the user interrupted. The
                answers of all whole chunks are kept.
            ValueError: a request asks for another decoding than the model was built with.
        """
        for request in requests:
            if request.args[1] != self.config.decoding.gen_kwargs():
                raise ValueError(f"the task decodes by {request.args[1]}, the model by {self.config.decoding}")
        self.prompts, repeats = self.asked(requests)
        self.answers = self.answer(self.prompts, repeats)
        self.repeats = [(prompt, self.store[prompt.key]) for prompt in repeats]
        return [answer.text for answer in self.answers[:: self.config.samples]]

    def asked(self, requests: Sequence[Instance]) -> tuple[list[Prompt], list[Prompt]]:
        """The prompts of requests, one per sample, and those of them that are asked again.

        Raises:
            UserError: too few would be asked again.
        """
        prompts = [self._prompt(request, sample) for request in requests for sample in range(self.config.samples)]
        return prompts, self._again(requests, prompts)

    def generate_shard(self, requests: Sequence[Instance]) -> int:
        """Generate what falls to this shard, into its part of the store. Returns the number of its answers."""
        index, count = self.config.shard or (0, 1)
        own = [request for request in requests if shard_of(str(request.doc["id"]), count) == index]
        prompts = [self._prompt(request, s) for request in own for s in range(self.config.samples)]
        repeats = self._again(requests, prompts)
        return len(self.answer(prompts, repeats)) + len(repeats)

    def answer(self, prompts: Sequence[Prompt], repeats: Sequence[Prompt] = ()) -> list[Answer]:
        """One answer per prompt, generating those that the store lacks; after them those that are asked again.

        Raises:
            UserError: as ``generate_until``, or every prompt was refused.
        """
        unique = list({prompt.key: prompt for prompt in prompts}.values())
        with self.store.opened() as store, kept(store):
            asked = [unique, list({prompt.key: prompt for prompt in repeats}.values())]
            if missing := self.missing(asked):
                workers = load_workers(self.config)
                self.defaults = workers.defaults
                try:
                    self._generate(workers, asked, missing)
                finally:
                    workers.release()
            answers = [store[prompt.key] for prompt in prompts]
        if answers and all(answer.refused for answer in answers):
            raise UserError(
                f"all {len(unique)} prompts were refused: {answers[0].error}; that is kept in {self.store.folder}",
                "Check --model-args; to ask again, run the same command with --retry-refused",
            )
        if cut := thinking_cut(answers):
            log.warning(
                "%d of %d answers are empty: %d tokens were not enough for the thoughts; raise --max-new-tokens",
                cut,
                len(answers),
                self.config.decoding.max_new_tokens,
            )
        return answers

    def _generate(self, workers: Workers, asked: Sequence[Sequence[Prompt]], missing: set[str]) -> None:
        first, repeats = asked
        number = len(first) + len(repeats)
        with AnswerProgress(str(self.config.kind), number, number - len(missing)) as progress:
            for plan in (workers.plan(first), regrouped(workers.plan(repeats)) if repeats else []):
                planned = ([prompt for prompt in chunk if prompt.key in missing] for chunk in plan)
                left = [chunk for chunk in planned if chunk]
                for chunk, generated in workers.run(left) if left else ():
                    self.store.append(chunk, generated)
                    progress.advance(len(chunk), sum(answer.tokens for answer in generated))

    def _again(self, requests: Sequence[Instance], prompts: Sequence[Prompt]) -> list[Prompt]:
        """Those of the prompts whose questions are asked again; chosen among all, whatever this shard asks.

        Raises:
            UserError: too few would be.
        """
        if self.config.repeat_share is None:
            return []
        severities = {str(request.doc["id"]): str(request.doc["severity"]) for request in requests}
        rows = chosen(severities, self.config.repeat_share, self.config.decoding.seed)
        return [again(prompt, self.store.digest) for prompt in prompts if prompt.id in rows]

    def missing(self, asked: Iterable[Iterable[Prompt]]) -> set[str]:
        """The keys of the prompts that the store, which is open, has no answer to."""
        return {prompt.key for part in asked for prompt in part if self._to_ask(prompt)}

    def _to_ask(self, prompt: Prompt) -> bool:
        if prompt.key not in self.store:
            return True
        return self.config.retry_refused and self.store[prompt.key].refused

    def _prompt(self, request: Instance, sample: int) -> Prompt:
        text, document = request.args[0], request.doc
        return Prompt(
            key=answer_key(self.store.digest, text, sample),
            text=text,
            sample=sample,
            id=str(document["id"]),
            severity=str(document["severity"]),
            question=str(document["question"]),
        )

    @cached_property
    def _tokenizer(self) -> Any:
        return chat_tokenizer(self.config)

    @property
    def tokenizer_name(self) -> str:
        """Where the chat template comes from, for lm-eval."""
        if self.config.backend.turns:
            return str(self.config.model_args["base_url"])
        return str(self._tokenizer.name_or_path)

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The chat template's text, for lm-eval's record; None where none is used."""
        if chat_template and self.config.backend.turns:
            return BY_THE_SERVER
        return str(self._tokenizer.chat_template) if chat_template else None

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation in the model's chat template; as JSON where the server has it."""
        if self.config.backend.turns:
            return canonical(chat_history)
        return in_template(self.config, self._tokenizer, chat_history, add_generation_prompt)

    def loglikelihood(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> Any:
        """Not needed by any of our tasks."""
        raise NotImplementedError("answers are generated, not scored by likelihood")

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> Any:
        """Not needed by any of our tasks."""
        raise NotImplementedError("answers are generated, not scored by likelihood")
