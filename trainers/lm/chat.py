"""Training examples as turns of the tokenizer's chat template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...harness.core.errors import UserError
from ...harness.generation.chat import rendered, system_text, turns
from ...harness.languages import Language
from .config import TrainConfig

_QUESTION, _ANSWER = "maqa question", "maqa answer"


@dataclass(frozen=True)
class Chat:
    """How a question and its answer stand in a chat template.

    Attributes:
        system: the system instruction; None for none.
        lead: what the template puts before an answer, such as an empty thought. It is learned with the answer,
            since the model is asked without it.
        end: token ids that end the answer's turn, at last the tokenizer's end token.
    """

    tokenizer: Any
    system: str | None
    lead: str
    end: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Any, language: Language) -> Chat:
        """The turns of a tokenizer's template.

        Raises:
            UserError: it has none, or one in which what is asked is not the beginning of what is answered.
        """
        demand_template(tokenizer)
        system = system_text(tokenizer, language)
        asked = turns(_QUESTION, system)
        prompt = rendered(tokenizer, asked, True)
        whole = rendered(tokenizer, [*asked, {"role": "assistant", "content": _ANSWER}], False)
        lead, found, rest = whole.removeprefix(prompt).partition(_ANSWER)
        if not whole.startswith(prompt) or not found:
            raise UserError(
                f"the chat template of {tokenizer.name_or_path} makes another text of a question with its answer "
                "than of the question alone, so a model trained on the one would be asked the other",
                "Mend its chat template, choose another base, or leave chat_template out",
            )
        return cls(tokenizer, system, lead, _ending(tokenizer, rest))

    def prompt(self, prompt: str) -> str:
        """What the model sees of a prompt, to where its answer begins."""
        return rendered(self.tokenizer, turns(prompt, self.system), True)

    def prompt_ids(self, prompts: Sequence[str]) -> list[list[int]]:
        """Token ids of prompts in the template, with the start token once: the template may bring it."""
        start = self.tokenizer.bos_token
        texts = [self.prompt(prompt) for prompt in prompts]
        brings = bool(start) and all(text.startswith(start) for text in texts)
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=not brings, verbose=False)["input_ids"]
        return ids


def chat_of(config: TrainConfig, tokenizer: Any, language: Language) -> Chat | None:
    """The turns that a training uses; None where it is in no chat template.

    Raises:
        UserError: as ``Chat.of``.
    """
    return Chat.of(tokenizer, language) if config.chat_template else None


def demand_template(tokenizer: Any) -> None:
    """Raises:
    UserError: the tokenizer has no chat template.
    """
    if not tokenizer.chat_template:
        raise UserError(
            f"the tokenizer of {tokenizer.name_or_path} has no chat template",
            "Leave chat_template out of the training, or take the base's instruction-tuned sister",
        )


def _ending(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The ids of what follows an answer, up to the token that ends the turn; what may follow that is of the next
    turn."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    marks = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    last = next((place for place, token in enumerate(ids) if token in marks), len(ids) - 1)
    kept = ids[: last + 1]
    return tuple(kept if kept and kept[-1] == tokenizer.eos_token_id else [*kept, tokenizer.eos_token_id])
