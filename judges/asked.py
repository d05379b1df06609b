"""Having a judge's word on many things: everything is kept as it comes, and nothing that is kept is asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..harness.core.errors import UserError
from ..harness.core.settings import Record
from ..harness.generation.engines.replies import one_line
from ..harness.generation.records import Generated, Prompt
from ..harness.generation.store.store import Store, answer_key
from ..harness.generation.workers.failures import kept
from .asking import Judge
from .parsing import UnreadableError
from .prompt import Message, again
from .words import Words

ATTEMPTS = 3
"""So often a judge is asked whose reply cannot be read, the first time among them."""

_Word = TypeVar("_Word")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Question(Generic[_Word]):
    """One thing to ask: what is sent, and how the reply is read (``UnreadableError`` where it cannot be)."""

    id: str
    severity: str
    messages: Sequence[Message]
    read: Callable[[str], _Word]


class Usage(Record):
    """What a judgement takes, whenever it was asked: a reply counts once, one that could not be read too.

    ``unmetered`` replies came without a count of tokens; ``now`` were made by this command, in ``requests``.
    """

    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unmetered: int = 0
    now: int = 0
    requests: int = 0


@dataclass
class Asked:
    """What came of asking so far, over several calls of ``ask``."""

    judge: Judge
    store: Store
    words: Words
    retry_refused: bool = False
    progress: Progress = lambda done, total: None
    failures: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _now: int = 0

    def ask(self, questions: Sequence[Question[_Word]], repeats: int = 1) -> list[list[_Word | None]]:
        """The words on each question, ``repeats`` of them. None where there is none; ``failures`` counts why:
        ``unanswered``, ``refused`` or ``unreadable``.

        Raises:
            UserError: the judge cannot be asked, or the store not written; what was answered is kept.
        """
        found: dict[tuple[int, int], _Word] = {}
        left = [(number, repeat) for number in range(len(questions)) for repeat in range(repeats)]
        with self.store.opened(), kept(self.store):
            for attempt in range(ATTEMPTS):
                texts = {
                    number: self.judge.text(again(self.words, questions[number].messages, attempt))
                    for number in dict.fromkeys(number for number, _ in left)
                }
                prompts = {
                    (number, repeat): self._prompt(questions[number], texts[number], repeat)
                    for number, repeat in left
                }
                silent = self._round(list({each.key: each for each in prompts.values()}.values()))
                unreadable: dict[tuple[int, int], str] = {}
                for place, prompt in prompts.items():
                    if prompt.key in silent:
                        self._failed("unanswered", silent[prompt.key])
                        continue
                    self._used.add(prompt.key)
                    answer = self.store[prompt.key]
                    if answer.refused:
                        self._failed("refused", answer.error)
                        continue
                    try:
                        found[place] = questions[place[0]].read(answer.text)
                    except UnreadableError as error:
                        unreadable[place] = str(error)
                left = list(unreadable)
                if not left:
                    break
            for words in unreadable.values():
                self._failed("unreadable", words)
        return [[found.get((number, repeat)) for repeat in range(repeats)] for number in range(len(questions))]

    def usage(self) -> Usage:
        """Of all that was asked so far; of what is in the store alone it is the same, but for ``now``."""
        answers = [self.store[key] for key in self._used if not self.store[key].refused]
        return Usage(
            replies=len(answers),
            prompt_tokens=sum(answer.prompt_tokens for answer in answers),
            completion_tokens=sum(answer.tokens for answer in answers),
            unmetered=sum(not (answer.prompt_tokens or answer.tokens) for answer in answers),
            now=self._now,
            requests=self.judge.requests,
        )

    def demand_any(self) -> None:
        """Raises:
        UserError: there is not one word that can be used.
        """
        if self.failures:
            kind, count = self.failures.most_common(1)[0]
            raise UserError(
                f"no verdict of {self.judge.name} can be used: {count} {kind} ({self.examples[kind]}); what it "
                f"said is kept in {self.store.folder}",
                "Check the model, --max-new-tokens and --model-args; --retry-refused asks again what was refused",
            )

    def _round(self, prompts: Sequence[Prompt]) -> dict[str, str]:
        """Ask what the store lacks; why each prompt that still has no answer has none, by its key."""
        missing = [prompt for prompt in prompts if self._to_ask(prompt)]
        silent: dict[str, str] = {}
        if not missing:
            return silent
        for done, (prompt, answer) in enumerate(
            self.judge.answers(missing, known=len(prompts) - len(missing)), start=1
        ):
            if isinstance(answer, Generated):
                self.store.append([prompt], [answer])
                self._now += 1
            elif prompt.key not in self.store:
                silent[prompt.key] = answer.words
            self.progress(done, len(missing))
        return silent

    def _to_ask(self, prompt: Prompt) -> bool:
        if prompt.key not in self.store:
            return True
        return self.retry_refused and self.store[prompt.key].refused

    def _prompt(self, question: Question[_Word], text: str, repeat: int) -> Prompt:
        key = answer_key(self.store.digest, text, repeat)
        return Prompt(key, text, repeat, question.id, question.severity, "")

    def _failed(self, kind: str, words: str) -> None:
        self.failures[kind] += 1
        self.examples.setdefault(kind, one_line(words))
