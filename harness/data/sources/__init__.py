"""Every kind of source that can be read. A new one is a file with a ``@source`` function, and its line here."""

from __future__ import annotations

# isort: off
from . import delimited as delimited
from . import json_document as json_document
from . import jsonl as jsonl
from . import parquet as parquet
from . import arrow_ipc as arrow_ipc
from . import xlsx as xlsx
from . import calamine as calamine
from . import html as html
from . import sqlite as sqlite
from . import dataset_folder as dataset_folder
from . import saved_to_disk as saved_to_disk
from . import hub as hub

# isort: on
from .opening import demand_source, may_be_elsewhere, open_source
from .readers import known, options

__all__ = ["demand_source", "known", "may_be_elsewhere", "open_source", "options"]
