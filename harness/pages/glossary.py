"""The words of pages and terminal, explained in a sentence each, from the languages' ``messages/glossary.json``."""

from __future__ import annotations

from ..languages.messages import messages

_START, _END = "glossary.", ".word"
_TITLE, _ABOUT = "glossary_title", "glossary_about"


def glossary() -> list[str]:
    """The names of the words, in their order."""
    keys = messages("en").known()
    return [key[len(_START) : -len(_END)] for key in keys if key.startswith(_START) and key.endswith(_END)]


def glossary_text(code: str) -> str:
    """The glossary in a language, as Markdown."""
    say = messages(code)
    lines = [f"- **{say(f'{_START}{name}{_END}')}**: {say(f'{_START}{name}.meaning')}" for name in glossary()]
    return "\n".join([f"# {say(_TITLE)}", "", say(_ABOUT), "", *lines, ""])
