"""Tags and entities of web pages in texts: taken out, and never a sign such as ``<`` in ``SpO2 < 90``."""

from __future__ import annotations

import re
from html import unescape

_BLOCKS = "p|br|div|ul|ol|li|table|tr|td|th|thead|tbody|h[1-6]|hr|blockquote|pre|section|article"
_INLINE = "a|abbr|b|big|center|code|em|font|i|img|mark|o:p|s|small|span|strike|strong|sub|sup|u"
# An attribute has its sign of equality: "a<b and c>d" is no tag.
_ATTRIBUTES = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?"""
_BLOCK = re.compile(rf"</?(?:{_BLOCKS}){_ATTRIBUTES}>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_INLINE}){_ATTRIBUTES}>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{2,6}|#x[0-9a-f]{2,5});", re.IGNORECASE)


def without_markup(text: str) -> str:
    """The text that a page with these tags and entities shows; the text itself, to the byte, where it has none."""
    if "<" in text:
        plain = _TAG.sub("", _BLOCK.sub("\n", _HIDDEN.sub("", text)))
        if plain != text:
            text = re.sub(r"\s*\n\s*", "\n", plain).strip()
    return _ENTITY.sub(lambda found: unescape(found[0]).replace("\xa0", " "), text) if "&" in text else text
