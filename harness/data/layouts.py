"""Records as people keep them: dialogues, instructions with an input, several answers; read as plain columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..languages import Language
from .columns import Role, column_key, is_alias, numbered
from .sources.base import Batch, Row, Source, batched

_CHATS = frozenset(
    {"messages", "message", "conversations", "conversation", "dialog", "dialogue", "dialogs", "chat", "turns"}
)
_ASKING = frozenset({"user", "human", "patient", "prompter", "customer"})
_ANSWERING = frozenset({"assistant", "gpt", "bot", "model", "doctor", "chatgpt", "ai", "response"})
_ROLES, _TEXTS = ("role", "from", "speaker", "author"), ("content", "value", "text", "message")
_ANSWERS = ("text", "answer", "content")
_INPUTS = ("input", "context")
_Read = Callable[[Sequence[str | None]], str | None]


@dataclass
class Layout:
    """How the records of a source are laid out, in words, and what was counted while they were read."""

    said: list[str] = field(default_factory=list)
    several_turns: int = 0
    system: int = 0
    broken: int = 0

    def sentences(self) -> list[str]:
        """What to say of it, once all was read."""
        found = list(self.said)
        if self.several_turns:
            found.append(
                f"{self.several_turns:,} dialogues have several turns: the last answer is the answer, all that was "
                "said before it the question"
            )
        if self.system:
            found.append(f"{self.system:,} dialogues have a system text, which is not used: --system-instruction")
        if self.broken:
            found.append(f"{self.broken:,} dialogues have no question with an answer after it, or no known roles")
        return found


def laid_out(source: Source, given: Mapping[Role, str], language: Language) -> tuple[Source, Layout]:
    """The source with the columns ``question`` and ``answer`` made of what its records hold, where they have none.

    A dialogue (a list of ``role`` and ``content``, or of ``from`` and ``value``) has its last answer as the answer,
    and what was said before it as the question. An ``instruction`` and its ``input`` or ``context`` are one
    question. ``answer_1``, ``answer_2`` and so on are one list of answers. Columns that the user named, and those
    that are a question and an answer already, stay as they are.
    """
    layout = Layout()
    names = [column_key(name, language) for name in source.columns]
    made: dict[str, tuple[list[int], _Read]] = {}
    known = {
        role: any(is_alias(name, role, language) for name in source.columns)
        for role in (Role.QUESTION, Role.ANSWER)
    }
    asked = {Role.QUESTION, Role.ANSWER} & set(given)
    if source.language is not None and "references" in source.columns and Role.ANSWER not in asked:
        made["answer"] = ([source.columns.index(name) for name in ("references", "answer")], _first)
    chat = next((place for place, name in enumerate(names) if name in _CHATS), None)
    if chat is not None and not all(known.values()) and not asked:
        made = {
            "question": ([chat], lambda cells: _of_chat(cells[0], layout, counted=True)[0]),
            "answer": ([chat], lambda cells: _of_chat(cells[0], layout, counted=False)[1]),
        }
        layout.said.append(f"question and answer are read from the dialogues in {source.columns[chat]!r}")
    if "instruction" in names and Role.QUESTION not in asked and not made:
        rest = next((names.index(name) for name in _INPUTS if name in names), None)
        if rest is not None and known[Role.ANSWER]:
            places = [names.index("instruction"), rest]
            made["question"] = (places, _joined)
            layout.said.append("question is {!r} and, after a blank line, {!r}".format(*_at(source, places)))
    several = numbered(source.columns, Role.ANSWER, language)
    if len(several) > 1 and not known[Role.ANSWER] and Role.ANSWER not in asked and "answer" not in made:
        made["answer"] = (several, _listed)
        layout.said.append(f"several answers to a question: {', '.join(map(repr, _at(source, several)))}")
    return (_with(source, made) if made else source), layout


def _at(source: Source, places: Sequence[int]) -> list[str]:
    return [source.columns[place] for place in places]


def _with(source: Source, made: Mapping[str, tuple[list[int], _Read]]) -> Source:
    """The source with further columns before its own; those that they are made of, or that bear their names, go."""
    gone = {place for places, _ in made.values() for place in places}
    rest = [place for place, name in enumerate(source.columns) if place not in gone and name not in made]
    columns = [*made, *_at(source, rest)]
    reads = list(made.values())

    def rows(places: Sequence[int]) -> Iterator[Row]:
        wanted = [reads[place] if place < len(reads) else ([rest[place - len(reads)]], _same) for place in places]
        needed = list(dict.fromkeys(each for inputs, _ in wanted for each in inputs))
        plan = [([needed.index(each) for each in inputs], read) for inputs, read in wanted]
        for batch in source.batches(needed):
            cells = [column.to_pylist() for column in batch.columns]
            for row, number in enumerate(batch.numbers.tolist()):
                yield (
                    number,
                    [
                        batch.nested.get(inputs[0], {}).get(row, cells[inputs[0]][row])
                        if read is _same
                        else read([cells[each][row] for each in inputs])
                        for inputs, read in plan
                    ],
                )

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), source.where)

    return replace(source, columns=columns, batches=batches)


def _same(cells: Sequence[str | None]) -> str | None:
    return cells[0]


def _first(cells: Sequence[str | None]) -> str | None:
    return cells[0] or cells[1]


def _joined(cells: Sequence[str | None]) -> str | None:
    return "\n\n".join(cell.strip() for cell in cells if cell and cell.strip()) or None


def _listed(cells: Sequence[str | None]) -> str | None:
    return json.dumps([cell for cell in cells if cell], ensure_ascii=False)


def _of_chat(cell: str | None, layout: Layout, *, counted: bool) -> tuple[str | None, str | None]:
    turns = _turns(cell)
    last = max((place for place, (who, _) in enumerate(turns) if who in _ANSWERING), default=None)
    before = [(who, text) for who, text in turns[:last] if who != "system"]
    if counted:
        layout.system += any(who == "system" for who, _ in turns)
        layout.several_turns += last is not None and len(before) > 1
        layout.broken += last is None or not any(who in _ASKING for who, _ in before)
    if last is None or not any(who in _ASKING for who, _ in before):
        return "\n\n".join(text for who, text in turns if who in _ASKING) or None, None
    return "\n\n".join(text for _, text in before if text), turns[last][1]


def _turns(cell: str | None) -> list[tuple[str, str]]:
    """Who said what, in order; none of what is no dialogue."""
    found = parsed(cell)
    if isinstance(found, dict):
        found = next((found[name] for name in _CHATS if isinstance(found.get(name), list)), None)
    if not isinstance(found, list):
        return []
    turns = []
    for each in found:
        if isinstance(each, dict):
            who = next((str(each[name]) for name in _ROLES if each.get(name)), "")
            text = next((spoken_text(each[name]) for name in _TEXTS if each.get(name)), "")
            if who or text:
                turns.append((who.strip().lower(), text))
    return turns


def spoken_text(value: Any) -> str:
    """The text of a turn: plain, or parts of which some have a text."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(spoken_text, value)))
    if isinstance(value, dict):
        return str(value.get("text") or "")
    return str(value)


def parsed(cell: str | None) -> Any:
    """The list or record that a cell holds as JSON; None of plain text."""
    if not cell or cell.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def question_of(cell: str | None, *, nested: bool = True) -> str | None:
    """The question of a cell that is a list of turns or of one text; a plain text is itself.

    Args:
        nested: whether the source itself has a list or record there, and no text that looks like one.

    Raises:
        ValueError: the source has a list or record of something else.
    """
    found = parsed(cell)
    if found is None:
        return cell
    if turns := _turns(cell):
        return "\n\n".join(text for who, text in turns if who != "system" and text)
    if isinstance(found, list) and len(found) < 2 and all(map(_is_text, found)):
        return found[0] if found else None
    if nested:
        raise ValueError(type(found).__name__)
    return cell


def answers_of(cell: str | None, *, nested: bool = True) -> list[str] | None:
    """The answers of a cell that lists several, as a list or as ``{"text": [...]}``; None of plain text.

    Of a list of turns it is the last one's text. ``nested`` is as of ``question_of``.

    Raises:
        ValueError: the source has a list or record of something else.
    """
    inside = found = parsed(cell)
    if isinstance(found, dict):
        found = next((found[name] for name in ("text", "answers", "answer") if name in found), None)
        found = [found] if isinstance(found, str) else found
    if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
        if any(name in found[0] for name in _ROLES):
            return [spoken_text(next((found[-1][name] for name in _TEXTS if found[-1].get(name)), ""))]
        if all(each.keys() & {*_ANSWERS} for each in found):
            found = [next((each[name] for name in _ANSWERS if each.get(name)), "") for each in found]
    if isinstance(found, list) and all(map(_is_text, found)):
        return [each for each in found if isinstance(each, str)]
    if nested and inside is not None:
        raise ValueError(type(inside).__name__)
    return None


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)
