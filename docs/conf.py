"""The documentation site: ``make docs`` builds it offline, and any warning is an error."""

from pathlib import Path
from typing import Any

from maqa_severity import __version__
from maqa_severity.cli import application
from maqa_severity.commands.pages import write_pages

project = "maqa-severity"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"maqa-severity {__version__}"
exclude_patterns = ["case-study/*"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# Links out of docs/ lead to files of the repository, which are no pages; tests/test_docs.py follows every one.
suppress_warnings = ["myst.xref_missing", "myst.header"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
html_show_sphinx = False
highlight_language = "text"


def setup(app: Any) -> None:
    """Write the page of every command before the sources are read."""
    app.connect("builder-inited", lambda app: write_pages(application(), Path(app.srcdir) / "commands"))
