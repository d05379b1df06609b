"""YAML files of settings: a mapping, no key of which stands twice."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError


class _Once(yaml.SafeLoader):
    """YAML itself lets a later key overwrite an earlier one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        # A tag can call anything a mapping; YAML's own loader says so.
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        keys = [key.value for key, _ in pairs if key.tag != "tag:yaml.org,2002:merge"]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.MarkedYAMLError(problem=f"key {twice[0]!r} stands twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, remedy: str) -> dict[str, Any]:
    """Read a YAML mapping; an empty file is an empty one.

    Raises:
        UserError: the file is missing, unreadable, no YAML or no mapping, or has a key twice; ends with ``remedy``.
    """
    try:
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
