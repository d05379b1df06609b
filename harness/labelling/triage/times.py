"""Numbers, durations and ages in the words of a complaint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...languages import Language
from ...languages.text import Profile, words
from .scale import Times

_LOOK_BACK = 3
_YEAR = 365.0
_WEEKS_A_MONTH = 4.345
_WEEK, _MONTH, _LONGEST_PREGNANCY = 7.0, 30.0, 300.0
_OLDEST = 115 * _YEAR
_ADULT = 14 * _YEAR


class Duration(NamedTuple):
    """How long ago something began, in days; ``at`` is its unit's position, ``over`` that it is told as past."""

    at: int
    days: float
    over: bool


@dataclass(slots=True)
class Told:
    """What a clause tells about time: durations of complaints, the age in days, the month of a pregnancy."""

    durations: list[Duration] = field(default_factory=list)
    age: float | None = None
    month: float | None = None


class TimeReader:
    """Reads the time expressions of a language from normalised words."""

    def __init__(
        self, times: Times, numbers: dict[str, float], language: Language, conjunctions: Sequence[str]
    ) -> None:
        def plain(items: Iterable[str]) -> frozenset[str]:
            alone = [word for item in items for word in words(item, Profile.METRIC, language)[:1]]
            return frozenset(mark + word for word in alone for mark in ("", *conjunctions))

        def keyed(table: dict[str, float]) -> dict[str, float]:
            return {" ".join(words(key, Profile.METRIC, language)): value for key, value in table.items()}

        self.times = times
        self._conjunctions = tuple(conjunctions)
        self._numbers = keyed(numbers)
        self._units, self._duals = keyed(times.units), keyed(times.duals)
        self._months = keyed({key: float(value) for key, value in times.months.items()})
        self._alone = keyed({key: float(value) for key, value in times.months_alone.items()})
        self._plurals, self._several, self._half = map(plain, (times.plurals, times.several, times.half))
        self._since, self._ago, self._not_since = map(plain, (times.since, times.ago, times.not_since))
        self._age, self._old, self._people, self._has = map(plain, (times.age, times.old, times.people, times.has))
        self.ages = self._age
        self._skipped = plain(times.skipped)
        self._pregnant = plain(times.pregnant)
        self._pregnancy_month, self._pregnancy_week = plain(times.pregnancy_month), plain(times.pregnancy_week)

        self.heard = frozenset().union(
            *(self._duals, self._units, self._age, self._alone),
            *(self._pregnant, self._pregnancy_month, self._pregnancy_week),
        )

    def number(self, word: str) -> float | None:
        """The number that a word is, in digits or spelt out."""
        # Not isdigit(): that holds for superscripts too, which are no numbers to Python.
        if word.isdecimal():
            return float(word) if len(word) < 7 else None
        return self._numbers.get(word)

    def joined(self, word: str) -> float | None:
        """The number of a word after "and" ("five-and-thirty"), if it is written so."""
        for mark in self._conjunctions:
            if word.startswith(mark) and (value := self._numbers.get(word[len(mark) :])) is not None:
                return value
        return None

    def half(self, word: str) -> bool:
        """Whether a word adds a half to the number before it."""
        return word in self._half

    def read(self, tokens: Sequence[str], places: Iterable[int]) -> Told:
        """All that a clause tells about time; ``places`` are those of all its words that are ``heard``, or more."""
        told = Told()
        for at in places:
            word = tokens[at]
            if word not in self.heard:
                continue
            if word in self._duals:
                self._place(told, tokens, at, at, self._duals[word])
            elif word in self._units:
                self._unit(told, tokens, at, self._units[word])
            elif word in self._age and told.age is None:
                self._bare_age(told, tokens, at)
            if word in self._pregnancy_month or word in self._pregnancy_week:
                self._pregnancy(told, tokens, at)
            elif word in self._alone:
                told.month = self._alone[word]
            elif word in self._pregnant:
                self._months_gone(told, tokens, at)
        return told

    def _unit(self, told: Told, tokens: Sequence[str], at: int, days: float) -> None:
        begin, value = self._count(tokens, at)
        if value is None:
            value = 3.0 if tokens[at] in self._plurals else 1.0
        # A day of an age is nothing that anybody says, and "day" alone is no duration.
        self._place(told, tokens, begin, at, value * days, counted=begin < at)

    def _count(self, tokens: Sequence[str], at: int) -> tuple[int, float | None]:
        """The number before position ``at``, and where it begins."""
        if at == 0:
            return at, None
        before = tokens[at - 1]
        if before in self._several:
            return at - 1, 3.0
        if (value := self.joined(before)) is not None and at > 1:
            ones = self.number(tokens[at - 2])
            if ones is not None:
                return at - 2, ones + value
        if (value := self.number(before)) is not None:
            return at - 1, value
        return at, None

    def _place(
        self, told: Told, tokens: Sequence[str], begin: int, at: int, days: float, *, counted: bool = True
    ) -> None:
        if at + 1 < len(tokens) and tokens[at + 1] in self._half and counted:
            days += 0.5 * self._units.get(tokens[at], days)
        back = [word for word in tokens[max(0, begin - _LOOK_BACK - 1) : begin] if word not in self._skipped]
        back = back[-_LOOK_BACK:]
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        last = back[-1] if back else ""
        if last in self._not_since:
            return
        if after in self._ago or last in self._ago:
            told.durations.append(Duration(at, days, over=True))
        elif last in self._since:
            told.durations.append(Duration(at, days, over=False))
        elif self._is_age(back, after, days):
            told.age = days
        elif any(word in self._since for word in back[-2:]) or counted:
            told.durations.append(Duration(at, days, over=False))

    def _is_age(self, back: Sequence[str], after: str, days: float) -> bool:
        if days > _OLDEST:
            return False
        if after in self._old or any(word in self._age for word in back):
            return True
        if not back:
            # "35 years, a headache": what opens a clause and is no child's is said of the person.
            return days >= _ADULT
        named = back[-1] in self._people
        has = back[-1] in self._has and ((len(back) > 1 and back[-2] in self._people) or days >= _ADULT)
        return named or has

    def _bare_age(self, told: Told, tokens: Sequence[str], at: int) -> None:
        for place in range(at + 1, min(at + 3, len(tokens))):
            value = self.number(tokens[place])
            if value is not None and 0 < value <= 115:
                # Only what follows at once is its unit: in "aged 24, for 4 days" the days are not the age's.
                after = tokens[place + 1 : place + 3]
                if len(after) > 1 and self.joined(after[0]) is not None:
                    value, after = value + (self.joined(after[0]) or 0.0), after[1:]
                told.age = value * (self._units.get(after[0], _YEAR) if after else _YEAR)
                return

    def _pregnancy(self, told: Told, tokens: Sequence[str], at: int) -> None:
        for word in tokens[at + 1 : at + 2] or ():
            value = self._months.get(word, self.number(word))
            if value is None:
                continue
            if tokens[at] in self._pregnancy_week and value > 0:
                told.month = value / _WEEKS_A_MONTH
            elif value <= 10:
                told.month = value

    def _months_gone(self, told: Told, tokens: Sequence[str], at: int) -> None:
        """The month of "pregnant, 5 months" and of "30 weeks pregnant"."""
        for place in (*range(at + 1, min(at + 5, len(tokens))), at - 1):
            days = self._units.get(tokens[place], 0.0) if place > 0 else 0.0
            value = self._count(tokens, place)[1] if days >= _WEEK else None
            if value is not None and value * days <= _LONGEST_PREGNANCY:
                told.month = value * days / _MONTH
                return
