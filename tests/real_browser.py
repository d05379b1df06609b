"""Pages in the system's Chromium: one browser for many pages, themes and sizes; and what axe-core says of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
# A cell that is scrolled out of sight has no contrast that axe could measure.
_UNROLLED = (
    ".scroll, .scroll th {position: static !important; overflow: visible !important; max-height: none !important}"
)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser of Playwright's that runs the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, page: Path, address: str = "", width: int = 1280, theme: str = "light", language: str = "en"
) -> Iterator[Any]:
    """The page at an address inside it, in a window of this width in pixels, in a theme and a language."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, bypass_csp=True, reduced_motion="reduce"
    )
    # How long a page takes depends on what else the machine does.
    context.set_default_timeout(180_000)
    tab = context.new_page()
    tab.goto(page.as_uri() + address)
    if address:
        tab.wait_for_function("document.querySelector('#browser').dataset.ready")
    if tab.evaluate("document.documentElement.lang") != language:
        tab.click("#language")
    assert tab.evaluate("document.documentElement.lang") == language
    yield tab
    context.close()


def violations(tab: Any) -> list[str]:
    """What axe-core holds against a page, one line for each place of each rule."""
    from axe_playwright_python.base import AXE_SCRIPT

    tab.add_style_tag(content=_UNROLLED)
    tab.evaluate(AXE_SCRIPT)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]
