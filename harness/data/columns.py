"""Which column of a source file is the question, the answer, and so on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from ..core.errors import UserError
from ..core.files import read_json
from ..languages import Language, codes
from ..languages import language as language_of
from ..languages.text import Profile, normalise

_ALIASES = Path(__file__).with_name("columns.json")


class Role(StrEnum):
    """What a column is for; named as the dataset's columns are."""

    QUESTION = "question"
    ANSWER = "answer"
    CATEGORY = "category"
    SEVERITY = "severity"
    ID = "id"
    CLUSTER = "cluster"
    P_NON_CRITICAL = "p_non_critical"
    P_NEUTRAL = "p_neutral"
    P_CRITICAL = "p_critical"


PROBABILITIES: tuple[Role, Role, Role] = (Role.P_NON_CRITICAL, Role.P_NEUTRAL, Role.P_CRITICAL)


def option(role: Role) -> str:
    """The command's option that names the column of a role."""
    return "--probability-columns" if role in PROBABILITIES else f"--{role}-column"


@cache
def aliases(role: Role, language: Language) -> tuple[str, ...]:
    """Keys of the names of a role's column, the preferred first: the general ones, then the language's own."""
    names = _named(role, language)
    return (*names, *_named("maybe_severity", language)) if role is Role.SEVERITY else names


@cache
def _named(kind: str, language: Language) -> tuple[str, ...]:
    # Arabic questions stand under English headings as often as not.
    others = (each for code in codes() if (each := language_of(code)) != language)
    files = (_ALIASES, *(each.folder / "columns.json" for each in (language, *others)))
    tables = [read_json(file, "Install the package again") for file in files if file.is_file()]
    return tuple(column_key(name, language) for table in tables for name in table.get(kind, []))


def column_key(name: str, language: Language) -> str:
    """What the spellings of a column's name have in common: no case, accents, marks and spaces."""
    plain = unicodedata.normalize("NFKD", normalise(name, Profile.METRIC, language))
    return "".join(letter for letter in plain if letter.isalnum())


def is_alias(name: str, role: Role, language: Language) -> bool:
    """Whether a column's name is known of a role."""
    return column_key(name, language) in aliases(role, language)


def numbered(columns: Sequence[str], role: Role, language: Language) -> list[int]:
    """Places of columns such as ``answer_1`` and ``answer_2``: a known name and a number."""
    found = {place: re.fullmatch(r"(\D+)\d{1,2}", column_key(name, language)) for place, name in enumerate(columns)}
    return [place for place, name in found.items() if name and name[1] in aliases(role, language)]


def rivals(columns: Sequence[str], found: Mapping[Role, int], language: Language) -> list[str]:
    """A sentence for each role that several columns have a known name of: which was taken, and the option."""
    said = []
    for role in (Role.QUESTION, Role.ANSWER, Role.SEVERITY):
        if role in found:
            others = [
                name
                for place, name in enumerate(columns)
                if place not in found.values() and is_alias(name, role, language)
            ]
            if others:
                said.append(
                    f"column {columns[found[role]]!r} is taken as the {role}, not {_show(others)}; "
                    f"{option(role)} names another"
                )
    return said


def is_doubtful(name: str, language: Language) -> bool:
    """Whether a column found for the severity may as well be another's, such as ``label``."""
    return column_key(name, language) in _named("maybe_severity", language)


def find_columns(
    path: Path, columns: Sequence[str], given: Mapping[Role, str], language: Language
) -> dict[Role, int]:
    """Position of the column of every role that the file has.

    Names are compared without regard to case, punctuation and spelling variants; where several columns of a file
    are known names of one role, the first name in the list of aliases wins (the card shows what was taken).

    Args:
        path: the source file, for errors.
        columns: the header.
        given: columns that the user named, which must exist literally.

    Raises:
        UserError: there is no column for the question or the answer, a given column does not exist, one stands
            twice in the header or has two roles, or only some of the three probabilities are there.
    """
    found = {
        role: place for role in Role if (place := _find(path, columns, given.get(role), role, language)) is not None
    }
    for role in (Role.QUESTION, Role.ANSWER):
        if role not in found:
            raise UserError(
                f"{path} has no column that is known as the {role}; it has {_show(columns)}",
                f"Name the column with {option(role)}",
            )
    if Role.CLUSTER not in given and found.get(Role.CLUSTER) in [found[role] for role in found if role in given]:
        del found[Role.CLUSTER]
    owners: dict[int, Role] = {}
    for role, place in found.items():
        if (other := owners.setdefault(place, role)) is not role:
            raise UserError(
                f"{path} column {columns[place]!r} would be both {other} and {role}",
                f"Name two columns with {option(other)} and {option(role)}",
            )
    there = [role for role in PROBABILITIES if role in found]
    if there and len(there) < len(PROBABILITIES):
        lacking = next(role for role in PROBABILITIES if role not in found)
        raise UserError(
            f"{path} has the probability column {columns[found[there[0]]]!r} but none for {lacking}",
            f"Name all three with {option(lacking)} NON_CRITICAL,NEUTRAL,CRITICAL, or rename that column",
        )
    return found


def _find(path: Path, columns: Sequence[str], given: str | None, role: Role, language: Language) -> int | None:
    if given is not None:
        places = [place for place, name in enumerate(columns) if name == given]
        if not places:
            raise UserError(f"{path} has no column {given!r}; it has {_show(columns)}", f"Correct {option(role)}")
    else:
        names = [column_key(name, language) for name in columns]
        known = next((alias for alias in aliases(role, language) if alias in names), None)
        places = [place for place, name in enumerate(names) if name == known]
    if len(places) > 1:
        raise UserError(f"{path} has two columns {columns[places[1]]!r}", "Rename one of them")
    return places[0] if places else None


def _show(columns: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in columns)
