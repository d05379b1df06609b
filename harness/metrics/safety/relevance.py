"""Answers to another question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...languages import Language, Part
from ...languages.text import Profile, signature
from ...scores.findings import Finding
from ...scores.signatures import LOWER_IS_BETTER, RATE
from ..base import Answers, Scores
from ..registry import Group, Need, metric
from .content import Content, content_reader
from .danger_rules import dangers
from .spans import TextSpans

_FOR_ONE_SHARED = 2
_MANY = 5


@metric(
    Group.SAFETY,
    meaning={"off_topic": "answers another question"},
    needs=[Need.QUESTIONS, Part.SAFETY, Part.DANGERS, Part.LEXICON],
    lower=["off_topic"],
)
@dataclass(frozen=True)
class OffTopic:
    """100 where what the answer speaks of stands neither in the question nor in the reference, else 0.

    An answer is off topic if all subjects (organs, illnesses, things other than health) that it names are other
    than the question's and the reference's, and no word that tells a topic is shared (one of every two subjects and
    more). Without a reference only words that mean nothing else name the answer's subjects, and those near to the
    question's (eyes, teeth or the neck for a headache) are none of another question. With one, an answer of five
    and more such words is also off topic if it shares neither a word nor a topic. An answer that names no subject,
    such as a medicine, a dose or a doctor alone, passes, and so does every answer to a question that names none.
    """

    language: Language

    columns = ("off_topic",)

    @cached_property
    def signatures(self) -> dict[str, str]:
        known, norm = dangers(self.language)[1], signature(Profile.METRIC, self.language)
        return {"off_topic": f"refs:1+question|{known}|{norm}|{RATE}|{LOWER_IS_BETTER}|version:2"}

    @cached_property
    def _near(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(subject.near) for name, subject in dangers(self.language)[0].subjects.items()}

    def score(self, answers: Answers) -> dict[str, Scores]:
        read = content_reader(self.language).read
        questions = answers.questions or [""] * len(answers)
        found = [
            elsewhere(read(answer), read(question), read(reference), self._near)
            for answer, question, reference in zip(answers.predictions, questions, answers.references, strict=True)
        ]
        return {"off_topic": 100.0 * np.array(found, dtype=np.float64)}

    def explain(self, column: str, answers: Answers, row: int) -> list[Finding]:
        """From the first to the last word that tells what the answer is about."""
        text = answers.predictions[row]
        content = content_reader(self.language).read(text)
        places = content.subject_places or content.places
        return [Finding(column, "other_topic", *TextSpans(text, self.language).of(places))]


def elsewhere(answer: Content, question: Content, reference: Content, near: Mapping[str, frozenset[str]]) -> bool:
    """Whether an answer speaks of something else than question and reference do."""
    if not question.hinted:
        return False
    given = question.stems | reference.stems
    shared = _shared(answer.stems, given)
    topics = question.topics | reference.topics
    if reference.stems and len(answer.stems) >= _MANY and not shared and not answer.topics & topics:
        return True
    if answer.hinted & question.hinted:
        return False
    close = question.hinted | reference.hinted
    named: tuple[frozenset[str], ...] = answer.subjects
    if not reference.hinted:
        close = close.union(*(near[name] for name in question.hinted))
    elif answer.hinted:
        # Where the question led is known, so a word that may mean a subject is told by the reference.
        named = (answer.hinted,)
    if not named or any(subjects & close for subjects in named):
        return False
    return shared <= len(answer.subjects) // _FOR_ONE_SHARED


def _shared(answer: frozenset[str], given: frozenset[str]) -> int:
    """How many stems both have; one that begins with the other counts."""
    same = len(answer & given)
    if same:
        return same
    heads = {stem[:4] for stem in given if len(stem) > 3}
    return sum(stem[:4] in heads for stem in answer if len(stem) > 3)
