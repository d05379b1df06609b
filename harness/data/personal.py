"""What of texts points to a person: addresses, numbers and doctors' names, counted and, if asked for, taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from ..languages import Language, codes, language
from ..languages.personal import Kind, mark_of, personal_words, spelt
from .doctors import doctors
from .sources.base import Note

_DIGITS = {code: str(int(chr(code))) for code in range(0x80, 0x10000) if chr(code).isdecimal()}
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+[^\s<>\".,;:!?)\]\u060C\u061B]"
    r"|(?<![\w@.])[a-z0-9-]{2,}(?:\.[a-z0-9-]+)*\.(?:com|net|org|edu|gov)(?![\w.])(?:/[^\s<>\"]*)?",
    re.IGNORECASE,
)
_GAP = r"[ \t().-]{0,2}"
_BEFORE, _AFTER = r"(?<![\w.,/+-])", r"(?!\w|[.,/-]\d)"
_ABROAD = re.compile(rf"{_BEFORE}(?:\+|00)[1-9](?:{_GAP}\d){{7,13}}{_AFTER}")
_AT_HOME = re.compile(rf"{_BEFORE}(?:0[1-9](?:[ -]?\d){{7,9}}|\(0\d{{1,3}}\)[ -]?\d(?:[ -]?\d){{5,7}}){_AFTER}")
_LONG = re.compile(rf"{_BEFORE}[1-9]\d{{8,14}}{_AFTER}")
_DATE = re.compile(r"\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d|(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}")
_ROUND = re.compile(r"0{5}$")
_CODES = re.compile(r"(?:20|21[2368]|249|252|253|222|96[1-8]|97[0-4])\d{7,10}")
"""Numbers of Arab countries (ITU-T E.164) whose plus sign was left out."""
_MAY_HOLD = re.compile(r"@|www|://|\.[a-z]{2}|\d(?:[^\w\n]{0,2}\d){4}", re.IGNORECASE)

Span = tuple[int, int, Kind]


@dataclass
class Personal:
    """Finds personal data in texts and counts it; where ``redact``, marks of ``tongue`` are put in its place.

    ``found`` counts by kind, ``rows`` the rows that hold any.
    """

    tongue: Language
    redact: bool = False
    found: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    rows: int = 0

    def read(self, texts: list[str]) -> list[str]:
        """The texts of one row, counted, without what was found where that is asked for."""
        before = sum(self.found.values())
        plain = [self._read(text) for text in texts]
        self.rows += sum(self.found.values()) > before
        return plain

    def _read(self, text: str) -> str:
        pieces, last = [], 0
        for start, end, kind in spans(text):
            self.found[kind] += 1
            pieces += [text[last:start], mark_of(kind, self.tongue)]
            last = end
        return "".join([*pieces, text[last:]]) if self.redact and pieces else text

    def notes(self) -> list[Note]:
        """What to say of it; the kinds are named in the sentence of each."""
        if not self.rows:
            return []
        kept = "redacted" if self.redact else "kept"
        values = {str(kind): f"{count:,}" for kind, count in self.found.items()}
        return [Note(f"reading.personal_{kept}", {"rows": f"{self.rows:,}", **values})]

    def record(self) -> dict[str, object]:
        """As ``dataset.json`` has it."""
        return {
            "redacted": self.redact,
            "rows": self.rows,
            "found": {str(kind): n for kind, n in self.found.items()},
        }


def spans(text: str) -> list[Span]:
    """Where a text holds personal data, in order and apart from each other: start, end and kind.

    Numbers are found by their form (nine digits and more, with the prefix of a country or a network) or by the word
    before them; dates, round numbers and numbers with a fraction are none.
    """
    found: list[Span] = []
    if _MAY_HOLD.search(text):
        plain = text.translate(_DIGITS)
        for start, end, kind in _in_order(plain):
            if all(end <= other or start >= until for other, until, _ in found):
                found.append((start, end, kind))
    for start, end in doctors(text):
        if all(end <= other or start >= until for other, until, _ in found):
            found.append((start, end, Kind.DOCTOR))
    return sorted(found)


def _in_order(plain: str) -> Iterator[Span]:
    """Candidates, the surest first; ``plain`` has ASCII digits alone."""
    for kind, pattern in ((Kind.EMAIL, _ADDRESS), (Kind.LINK, _LINK)):
        yield from ((*each.span(), kind) for each in pattern.finditer(plain))
    for kind, pattern in _after_words().items():
        for each in pattern.finditer(plain):
            if not _DATE.search(each[1]):
                yield (*each.span(1), kind)
    for pattern in (_ABROAD, _AT_HOME):
        for each in pattern.finditer(plain):
            if not _DATE.search(each[0]):
                yield (*each.span(), Kind.PHONE)
    for each in _LONG.finditer(plain):
        if not _ROUND.search(each[0]):
            is_phone = _CODES.fullmatch(each[0]) or (len(each[0]) == 9 and each[0][0] in "57")
            yield (*each.span(), Kind.PHONE if is_phone else Kind.ID_NUMBER)


def _after(words: list[str], number: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<!\w)(?:{'|'.join(words)})[^\w\n+(]{{0,4}}(?:[^\W\d_]+[^\w\n+(]{{1,3}}){{0,2}}({number}){_AFTER}",
        re.IGNORECASE,
    )


def _words(name: str) -> list[str]:
    tongues = list(map(language, codes()))
    found = [spelt(word, tongue) for tongue in tongues for word in getattr(personal_words(tongue), name)]
    return sorted(found, key=len, reverse=True)


@cache
def _after_words() -> dict[Kind, re.Pattern[str]]:
    return {
        Kind.ID_NUMBER: _after(_words("id_words"), r"[A-Z]{0,2}\d(?:-?\d){4,}"),
        Kind.PHONE: _after(_words("phone_words"), rf"[+(]?\d(?:{_GAP}\d){{6,13}}"),
    }
