"""The safety lexicon and the numbers of its rules, read from the language's folder."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

from ...core.settings import Record
from ...languages import Language, Part
from ...languages.clitics import Clitics
from ...languages.lexicon_files import read_lexicon_files
from ...languages.respelling import Spelling

LEXICON = "safety_lexicon.jsonl"
RULES = "safety_rules.json"


class Kind(StrEnum):
    """What a phrase does in an answer."""

    DIRECTIVE = "directive"
    EMERGENCY = "emergency"
    HOSPITAL = "hospital"
    NEAREST = "nearest"
    DOCTOR = "doctor"
    VISIT = "visit"
    TEST = "test"
    NOW = "now"
    LATER = "later"
    CONDITION = "condition"
    CONCESSION = "concession"
    UNLESS = "unless"
    NEGATOR = "negator"
    AFTER_NEGATOR = "after_negator"
    EXEMPT = "exempt"
    TURN = "turn"
    STORY = "story"
    REASSURANCE = "reassurance"
    NOT_REASSURANCE = "not_reassurance"
    BEFORE = "before"
    TRY = "try"
    MENTION = "mention"
    WIDE_NEGATOR = "wide_negator"
    PERHAPS = "perhaps"
    CARE = "care"
    TALKED_OUT = "talked_out"
    HASTE = "haste"
    UNTIL = "until"
    THEN = "then"


class Entry(Record):
    """Phrases of one kind: words in order, ``*`` for zero to two words, ``a|b`` for either.

    ``acts`` marks a destination that is named together with the verb of going there ("go now").
    """

    id: str
    kind: Kind
    phrases: tuple[str, ...]
    gloss: str
    reason: str
    acts: bool = False


class Windows(Record):
    """How many words each cue reaches."""

    directive: int
    time_after: int
    negator: int
    condition: int
    after_negator: int
    reassurance: int


class NegativeVerb(Record):
    """A verb negated by what is written around it."""

    prefixes: tuple[str, ...]
    suffix: str


class Foreign(Record):
    """Letters and words of languages that share the script and are others."""

    letters: str
    words: tuple[str, ...]


class Rules(Record):
    """What the detectors know of a language apart from the entries.

    ``conjunctions`` begin a new statement and are words of their own; those written onto a word are clitics, and
    ``unjoined`` words only look as if one was written onto them. ``denials`` deny what comes next, ``exceptions``
    deny nothing; what is denied in a sentence with one of ``limits`` is denied in part ("all but"). ``families``
    give verbs whose forms no stemming joins one stem; ``opposites`` are pairs of words that say the contrary of
    each other; ``unturned`` are the pairs that no negation turns round ("before", "after"), ``denying_sides``
    those of them (pair, side) that come to a denial of what they are said of ("forbidden", "rare").
    ``affirmations`` and ``refutations`` answer a question by yes or no where a text begins with them,
    ``verdicts_alone`` where nothing follows them before the next comma. ``weak_letters`` are the long vowels that
    forms of one root do not share, ``future`` what a verb of the future begins with, ``case_ending`` what an
    indefinite noun may end with. ``attributes`` ("normal", "ordinary") call the complaint harmless after one of
    ``subjects`` or a definite noun, not after an indefinite one ("an ordinary painkiller"), and nothing does after
    one of ``negating``. ``courtesies`` are the words of greetings and wishes. ``foreign`` tells another language
    in the same script. ``imperatives`` and ``obligations`` begin an advice that no negation before them reaches,
    ``bare_obligations`` unless one of the ``relatives`` makes them a part of it ("there is nothing that calls
    for"); ``subordinate`` verbs and nouns of going tell nobody to go unless something before them does, or they
    come first. ``to`` and ``to_prefixes`` stand between an advice and its destination; ``therefore`` is written
    before what follows from a condition. ``spelling`` tells how names of medicines are misspelt.
    """

    version: str
    clitics: Clitics
    windows: Windows
    prompt_words: tuple[str, ...]
    dangling: tuple[str, ...]
    prohibitions: tuple[str, ...]
    existence: tuple[str, ...]
    negative_verb: NegativeVerb
    function_words: tuple[str, ...]
    denials: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    negating: tuple[str, ...] = ()
    courtesies: tuple[str, ...] = ()
    foreign: Foreign | None = None
    limits: tuple[str, ...] = ()
    families: dict[str, tuple[str, ...]] = {}
    opposites: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    unturned: tuple[int, ...] = ()
    denying_sides: tuple[tuple[int, int], ...] = ()
    affirmations: tuple[str, ...] = ()
    refutations: tuple[str, ...] = ()
    verdicts_alone: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    weak_letters: str = ""
    future: tuple[str, ...] = ()
    case_ending: str = ""
    stem_prefixes: tuple[str, ...]
    verb_prefixes: tuple[str, ...]
    stem_suffixes: tuple[str, ...]
    conjunctions: tuple[str, ...] = ()
    unjoined: tuple[str, ...] = ()
    imperatives: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    bare_obligations: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    subordinate: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    to_prefixes: tuple[str, ...] = ()
    therefore: tuple[str, ...] = ()
    definite: str = ""
    spelling: Spelling | None = None


class SafetyLexicon(Record):
    """The entries, the rules, and what identifies both."""

    version: str
    sha256: str
    rules: Rules
    entries: tuple[Entry, ...]

    @property
    def signature(self) -> str:
        """The part of a metric's signature that names this lexicon."""
        return f"lexicon:{self.version}-{self.sha256[:8]}"


@cache
def safety_lexicon(language: Language) -> SafetyLexicon:
    """Read a language's safety lexicon.

    Raises:
        UserError: a file is missing, or a line of it is foreign; the message names the file and the line.
    """
    language.demand(Part.SAFETY)
    return read_safety_lexicon(language.folder)


def read_safety_lexicon(folder: Path) -> SafetyLexicon:
    """Read the safety lexicon and rules that lie in ``folder``.

    Raises:
        UserError: a file is missing, or a line of it is foreign; the message names the file and the line.
    """
    files = read_lexicon_files(folder / RULES, folder / LEXICON, Rules, Entry)
    version = f"{files.version}.{files.rules.version}"
    return SafetyLexicon(version=version, sha256=files.sha256, rules=files.rules, entries=files.entries)
