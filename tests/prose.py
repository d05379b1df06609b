"""The English prose that a page shows: what is left of it on an Arabic page was forgotten."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SILENT = {"script", "style", "code"}
_VOID = {"meta", "br", "link", "input", "circle", "line", "polyline", "img", "path"}
_READ = ("aria-label", "title", "data-label", "placeholder")
_WORDS = re.compile(r"(?<![\w:])(?:[A-Za-z][A-Za-z'’-]*[ ,;:.()]+){3,}[A-Za-z]{2,}(?![\w:])")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._open.append(tag)
        if not _SILENT & {*self._open}:
            self._see(*(value or "" for name, value in attrs if name in _READ))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not _SILENT & {*self._open}:
            self._see(data)

    def _see(self, *texts: str) -> None:
        self.found += [" ".join(each.split()) for each in texts if _WORDS.search(each)]


def english_prose(page: str) -> list[str]:
    """Texts and labels of a page with four English words in a row; in ``code`` stand names and commands."""
    reader = _Reader()
    reader.feed(page)
    return reader.found
