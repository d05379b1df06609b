"""YAML files of settings: a mapping, no key of which stands twice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError

_LARGEST = 2**20
"""Bytes of a file of settings."""
_MOST_NODES = 100_000


class _Once(yaml.SafeLoader):
    """YAML itself lets a later key overwrite an earlier one without a word, and aliases of aliases grow."""

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node is not None and _written_out(node, {}) > _MOST_NODES:
            raise yaml.MarkedYAMLError(problem=f"its aliases stand for more than {_MOST_NODES:,} values")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        # A tag can call anything a mapping; YAML's own loader says so.
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        keys = [key.value for key, _ in pairs if key.tag != "tag:yaml.org,2002:merge"]
        # A key may be a list, which cannot be counted; YAML's own loader says so.
        named = [key for key in keys if isinstance(key, str)]
        if (twice := Counter(named).most_common(1)) and twice[0][1] > 1:
            raise yaml.MarkedYAMLError(problem=f"key {twice[0][0]!r} stands twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def _written_out(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node is with every alias written out; infinite where it holds itself."""
    if id(node) not in known:
        known[id(node)] = math.inf
        parts = [part for each in node.value for part in (each if isinstance(each, tuple) else (each,))]
        below = [_written_out(part, known) for part in parts if isinstance(part, yaml.Node)]
        known[id(node)] = 1 + sum(below)
    return known[id(node)]


def read_yaml(path: Path, remedy: str) -> dict[str, Any]:
    """Read a YAML mapping; an empty file is an empty one.

    Raises:
        UserError: the file is missing, unreadable, no YAML or no mapping, or has a key twice; ends with ``remedy``.
    """
    try:
        if path.is_file() and (size := path.stat().st_size) > _LARGEST:
            raise UserError(f"{path} has {size:,} bytes, and settings have {_LARGEST:,} at most", remedy)
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_Once)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}", remedy) from None
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is not YAML: {error}", remedy) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no mapping", remedy)
    return values
