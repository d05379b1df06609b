"""Sentences of a page in every language: which one is shown first, and what a switch puts in its place.

While a template is filled a sentence is a mark; ``spoken_page`` then puts the reader's language there and keeps the
other languages as data. So ``say`` may stand wherever text may: in elements, attributes, pictures and titles. In
scripts it may not: ``sentences`` gives these what they say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from ..core.readable import visible
from ..languages.messages import Messages, messages, spoken
from ..languages.sentences import Sentence

_OPEN, _CLOSE, DATA = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TOKEN = re.compile(r"(?is)<(script|style)\b[^>]*>.*?</\1>|<[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_HIDDEN = {ord(sign): f"\\u{ord(sign):04x}" for sign in (_OPEN, _CLOSE, DATA)}


class Sayings:
    """The sentences of one page, in the order in which it says them."""

    def __init__(self, code: str) -> None:
        self.codes = (code, *(each for each in spoken() if each != code))
        self._tongues = [messages(each) for each in self.codes]
        self._said: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
        self._texts: list[tuple[str, ...]] = []
        self._kept: dict[tuple[str, ...], int] = {}

    def say(self, key: str, **values: object) -> Markup:
        """The mark of a sentence. Values are escaped unless they are marked up already."""
        shown = tuple((name, str(escape(self.shown(value)))) for name, value in values.items())
        place = self._said.setdefault((key, shown), len(self._said))
        if place == len(self._texts):
            self._texts.append(tuple(_filled(tongue, key, shown) for tongue in self._tongues))
        return Markup(f"{_OPEN}{place}{_CLOSE}")

    def shown(self, value: object) -> object:
        """A value as a template prints it: a ``Sentence`` in every language."""
        if isinstance(value, Markup):
            return value
        text = value if isinstance(value, str) else str(value)
        return self.by_language(text.texts) if isinstance(text, Sentence) else clean(text)

    def by_language(self, texts: Mapping[str, str]) -> Markup:
        """The mark of what was said in every language before, such as a verdict; in English where one lacks."""
        versions = tuple(str(escape(clean(texts.get(code, texts["en"])))) for code in self.codes)
        place = self._said.setdefault((repr(versions), ()), len(self._said))
        if place == len(self._texts):
            self._texts.append(versions)
        return Markup(f"{_OPEN}{place}{_CLOSE}")

    def term(self, text: str) -> str:
        """A word of the program, such as a verdict or a heading, where the languages have it; else itself."""
        key = "term." + re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
        return self.say(key) if key in self._tongues[0] else text

    def sentences(self, start: str) -> Markup:
        """The sentences whose keys begin with ``start``, by language, as JSON for a script element."""
        return _embedded(
            {
                code: {key: messages(code).bare(key) for key in messages(code).known() if key.startswith(start)}
                for code in sorted(self.codes)
            }
        )

    def spoken_page(self, page: str) -> str:
        """The page in the reader's language, with all others as data in it."""
        if _OPEN not in page:
            return page
        out: list[str] = []
        end = 0
        for token in _TOKEN.finditer(page):
            if end < token.start():
                self._text(page[end : token.start()], out, closed=token[0].startswith("</"))
            out.append(self._tag(token[0]) if _OPEN in token[0] and not token[1] else token[0])
            end = token.end()
        out.append(page[end:])
        data = {
            "languages": {
                each.language.code: {"name": each("language.name"), "dir": each.language.direction}
                for each in self._tongues
            },
            "texts": {code: [text[place] for text in self._kept] for place, code in enumerate(self.codes)},
        }
        return "".join(out).replace(f">{DATA}</script>", f">{_embedded(data)}</script>", 1)

    def _text(self, text: str, out: list[str], *, closed: bool) -> None:
        """Put a text between two tags: it is kept with the tag before it where it is all that this tag holds."""
        if _OPEN not in text:
            out.append(text)
        elif closed and out and out[-1].startswith("<") and not out[-1].startswith("</"):
            place = self._place(text)
            if place is not None:
                out[-1] = f'{out[-1][:-1]} data-say="{place}">'
            out.append(self._filled(text, 0))
        else:
            out.append(_MARK.sub(self._span, text))

    def _span(self, mark: re.Match[str]) -> str:
        place = self._place(mark[0])
        own = self._filled(mark[0], 0)
        return own if place is None else f'<span data-say="{place}">{own}</span>'

    def _tag(self, tag: str) -> str:
        kept = []
        for name, value in _ATTRIBUTE.findall(tag):
            if _OPEN in value and (place := self._place(value)) is not None:
                kept.append(f"{name} {place}")
        found = self._filled(tag, 0)
        return f'{found[:-1]} data-say-on="{";".join(kept)}">' if kept else found

    def _place(self, text: str) -> int | None:
        """Where the other languages' versions of a text are kept; None where all are the same."""
        versions = tuple(self._filled(text, place) for place in range(len(self.codes)))
        return None if len(set(versions)) == 1 else self._kept.setdefault(versions, len(self._kept))

    def _filled(self, text: str, language: int) -> str:
        while _MARK.search(text):
            text = _MARK.sub(lambda mark: self._texts[int(mark[1])][language], text)
        return text


def clean(value: Any) -> Any:
    """A value as pages show it: control characters, and signs that this module keeps for itself, are seen."""
    # Markup is what templates made, of values that were seen before.
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value).translate(_HIDDEN)
    return value


def _filled(tongue: Messages, key: str, values: Sequence[tuple[str, str]]) -> str:
    return str(escape(tongue.bare(key))).format(**{name: tongue.shown(value) for name, value in values})


def _embedded(data: object) -> Markup:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
