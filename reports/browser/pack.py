"""What the page of a report carries for its browser of answers: data, sentences and scripts."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ...harness.languages.messages import messages, spoken
from ...harness.runs.run import Run
from ..wrong import Wrong
from .columns import columns_of_runs

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Browser:
    """``data`` is gzip in base64 of the columns as JSON; ``words`` the sentences by language as JSON; ``script``
    and ``style`` the joined files of this folder."""

    data: Markup
    words: Markup
    script: Markup
    style: Markup


def browser_of(runs: Sequence[Run], metric: str, screened: Sequence[str], ways: list[Wrong]) -> Browser:
    """The browser of the answers of one to three runs of the same questions; the first is the one reported."""
    columns = columns_of_runs(runs, metric, screened, ways)
    text = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    # Without a time and a name equal answers give equal bytes.
    packed = base64.b64encode(gzip.compress(text, 6, mtime=0)).decode("ascii")
    sentences = {code: _sentences(code) for code in sorted(spoken())}
    return Browser(
        Markup(packed),
        Markup(json.dumps(sentences, ensure_ascii=False).replace("<", "\\u003c")),
        Markup("\n".join(_read(path) for path in sorted(_FOLDER.glob("*.js")))),
        Markup(_read(_FOLDER / "browser.css")),
    )


def _sentences(code: str) -> dict[str, str]:
    said = messages(code)
    return {key: said.bare(key) for key in said.known() if key.startswith("browser.")}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip()
