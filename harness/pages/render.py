"""Fill a room's template; the shared ``base.html``, its style and macros lie beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.filters import do_truncate
from markupsafe import Markup

from ..languages import language
from ..languages.direction import direction_of
from ..languages.messages import messages, reader
from ..languages.sentences import Sentence, changed, together
from .glossary import glossary
from .names import shortened
from .said import DATA, Sayings

_SHARED = Path(__file__).parent


def render(templates: Path, name: str, **context: Any) -> str:
    """The page ``name`` of the folder ``templates``.

    Model text is hostile: everything is escaped, and a missing value is an error rather than a gap. Control
    characters are shown, not sent. What ``say`` gives, and every ``Sentence``, is there in every language, first in
    the reader's.
    """
    said = Sayings(reader())
    environment = Environment(
        loader=FileSystemLoader([templates, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=said.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shortened"] = _shortened
    environment.filters["number"] = number
    environment.filters["plain"] = plain
    environment.filters["signed"] = signed
    environment.filters["p_value"] = p_value
    environment.filters["decoding"] = decoding_in_words
    environment.filters["together"] = together
    environment.filters["begun"] = begun
    environment.filters["capitalised"] = partial(changed, change=str.capitalize)
    environment.filters["hyphens"] = partial(changed, change=lambda text: text.replace("_", "-"))
    environment.filters["lines"] = _lines
    environment.filters["head"] = partial(changed, change=lambda text: text[:60])
    environment.filters["cut"] = partial(_cut, environment)
    environment.globals |= {
        "reader": language(reader()),
        "say": said.say,
        "term": said.term,
        "by_language": said.by_language,
        "sentences": said.sentences,
        "said": Markup(DATA),
        "spoken_decoding": lambda decoding: said.say(_decoding(decoding)[0], **_decoding(decoding)[1]),
        "direction_of": direction_of,
        "glossary": glossary,
    }
    return said.spoken_page(environment.get_template(name).render(**context))


def begun(text: str) -> str:
    """A sentence with a capital at its beginning."""
    return changed(text, lambda each: each[:1].upper() + each[1:])


def _lines(text: str | None) -> list[str]:
    """The lines of a cell; a dash where there is nothing."""
    cell = text or "—"
    return [changed(cell, partial(_line, place)) for place in range(cell.count("\n") + 1)]


def _line(place: int, text: str) -> str:
    return text.split("\n")[place]


def _cut(environment: Environment, text: str, length: int) -> str:
    """As the filter ``truncate`` in the middle of a word; of other text than sentences nothing."""
    cut = partial(do_truncate, environment, length=length, killwords=True)
    return changed(text, cut) if isinstance(text, Sentence) else text


def _shortened(text: str, width: int) -> str:
    """The text without its middle, in each language that it has."""
    return changed(text, change=partial(shortened, width=width))


def number(value: float | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals and a true minus sign; an em dash where there is none."""
    return "—" if _absent(value) else f"{value:z.{digits}f}".replace("-", "−")


def plain(value: float | None) -> str:
    """A whole number as it is, any other as by ``number``."""
    return str(value) if isinstance(value, int) else number(value)


def signed(value: float | None, digits: int = 2) -> str:
    """A difference with its sign; a true minus sign, so that columns align. What rounds to zero has none."""
    if _absent(value):
        return "—"
    rounded = f"{value:+z.{digits}f}"
    return rounded[1:] if float(rounded) == 0 else rounded.replace("-", "−")


def p_value(value: float | None) -> str:
    """A p-value with three decimals; the smallest are bounded, not rounded to zero."""
    if _absent(value):
        return "—"
    assert value is not None
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def decoding_in_words(decoding: Mapping[str, Any]) -> str:
    """A decoding as lm-eval or we record it, in a reader's words."""
    key, values = _decoding(decoding)
    return messages("en")(key, **values)


def _decoding(decoding: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The key of a decoding's sentence, and its values."""
    tokens = decoding.get("max_new_tokens", decoding.get("max_gen_toks"))
    if not decoding.get("do_sample", decoding.get("temperature", 0.0) > 0):
        return "page.greedy", {"tokens": tokens}
    temperature, nucleus = decoding.get("temperature", 1.0), decoding.get("top_p", 1.0)
    return "page.sampling", {"temperature": f"{temperature:g}", "nucleus": f"{nucleus:g}", "tokens": tokens}


def _absent(value: float | None) -> bool:
    return value is None or value != value
