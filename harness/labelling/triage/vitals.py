"""Measured values in the words of a complaint: "39 and a half", "sugar 400", "200 over 110"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...languages import Language
from ...languages.clitics import Clitics
from ...languages.text import Profile, words
from .scale import Band, Triage, Vital
from .times import TimeReader

_REACH = 5
"""Words between the name of a value and its number."""


@dataclass(frozen=True)
class Measured:
    """A value of a vital sign; ``second`` is the lower pressure. ``start`` to ``end`` are the words that say it."""

    vital: Vital
    value: float
    second: float | None
    start: int
    end: int

    def bands(self) -> list[Band]:
        """The bands that the numbers lie in, whatever else these demand."""
        found = [band for band in self.vital.bands if band.at_least <= self.value < band.below]
        if self.second is not None:
            found += [band for band in self.vital.second if band.at_least <= self.second < band.below]
        return found


class VitalReader:
    """Finds the values of a language's vital signs in normalised words."""

    def __init__(self, triage: Triage, reader: TimeReader, language: Language, clitics: Clitics) -> None:
        vitals, times = triage.vitals, triage.times
        possessive = ("", *triage.possessive)
        joined = {alone: before for before, alone in language.before_suffix.items()}
        self._reader = reader
        self._vitals: dict[str, Vital] = {}
        named = [(words(name, Profile.METRIC, language)[0], vital) for vital in vitals for name in vital.words]
        for name, vital in named:
            self._vitals.setdefault(name, vital)
        for name, vital in named:
            # "My platelets": one word in some languages.
            for ending in possessive:
                stem = name[:-1] + joined.get(name[-1], name[-1]) if ending else name
                for prefix in ("", *clitics.prefixes):
                    self._vitals.setdefault(prefix + stem + ending, vital)
        self._units = frozenset(
            word for name in (*times.units, *times.duals) for word in words(name, Profile.METRIC, language)[:1]
        )
        self._ratio = frozenset(word for name in times.ratio for word in words(name, Profile.METRIC, language)[:1])

    @property
    def heard(self) -> frozenset[str]:
        """The names of values, in all forms that they are written in."""
        return frozenset(self._vitals)

    def read(self, tokens: Sequence[str], places: Iterable[int]) -> list[Measured]:
        """The values of a clause; a number that counts days or years is none.

        ``places`` are those of all its words that are ``heard``, or more.
        """
        found = []
        for at in places:
            vital = self._vitals.get(tokens[at])
            if vital is None:
                continue
            for place in range(at + 1, min(at + 1 + _REACH, len(tokens))):
                # Another value begins, or an age: the number behind it is its own.
                if self._vitals.get(tokens[place], vital) is not vital or tokens[place] in self._reader.ages:
                    break
                measured = self._measured(vital, tokens, at, place)
                if measured is not None:
                    found.append(measured)
                    break
        return found

    def _measured(self, vital: Vital, tokens: Sequence[str], start: int, at: int) -> Measured | None:
        value = self._reader.number(tokens[at])
        if value is None:
            return None
        end = at + 1
        if end < len(tokens) and (tens := self._reader.joined(tokens[end])) is not None and tens >= 10:
            value, end = (value + tens, end + 1) if value < 10 else (value, end)
        following = tokens[end] if end < len(tokens) else ""
        if following in self._units:
            return None
        second = None
        if vital.paired:
            place = end + (following in self._ratio)
            second = self._reader.number(tokens[place]) if place < len(tokens) else None
            end = place + 1 if second is not None else end
        elif self._reader.half(following):
            value, end = value + 0.5, end + 1
        elif vital.decimal and following.isdecimal() and len(following) <= 2 and value < 100:
            value, end = value + float(following) / 10 ** len(following), end + 1
        if value < vital.small:
            value *= vital.factor
            second = None if second is None else second * vital.factor
        if not vital.lowest <= value <= vital.highest:
            return None
        return Measured(vital, value, second, start, end)
