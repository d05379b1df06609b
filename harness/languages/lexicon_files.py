"""A lexicon on disk: entries as JSON lines under a version, and the rules that read them in a file beside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from ..core.errors import UserError
from ..core.files import read_json
from ..core.records import files_digest, read_numbered, validated

_REMEDY = "Mend the line, or install the package again"
_Rules = TypeVar("_Rules", bound=BaseModel)
_Entry = TypeVar("_Entry", bound=BaseModel)


@dataclass(frozen=True)
class LexiconFiles(Generic[_Rules, _Entry]):
    """What the two files hold; ``version`` is the entries' own, ``sha256`` the digest of both."""

    version: str
    sha256: str
    rules: _Rules
    entries: tuple[_Entry, ...]


def read_lexicon_files(
    rules: Path, entries: Path, rules_type: type[_Rules], entry_type: type[_Entry]
) -> LexiconFiles[_Rules, _Entry]:
    """Read a lexicon; the first line of ``entries`` states its version.

    Raises:
        UserError: a file is missing, or a line of it is foreign; the message names the file and the line.
    """
    read_rules = validated(rules_type, read_json(rules, _REMEDY), f"{rules}", _REMEDY)
    records = read_numbered(entries, _REMEDY)
    if not records or "version" not in records[0][1]:
        raise UserError(f"{entries} line 1 states no version", _REMEDY)
    return LexiconFiles(
        version=str(records[0][1]["version"]),
        sha256=files_digest(rules, entries),
        rules=read_rules,
        entries=tuple(
            validated(entry_type, record, f"{entries} line {number}", _REMEDY) for number, record in records[1:]
        ),
    )
