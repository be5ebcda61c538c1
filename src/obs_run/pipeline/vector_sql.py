"""Searches for near vectors by SQL (pgvector): what they are is read from the statement on the database's span.

The spans are those of the database instrumentations; theirs stays as it is, and what a retrieval tells is added.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import Retrieval

_SYSTEMS = ("postgresql", "cockroachdb")
# Drivers double a percent sign where the statement has parameters.
_OPERATOR = re.compile(r"<->|<=>|<#>|<\+>|<~>|<%{1,2}>")
_TEXT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_READS = re.compile(r"\s*\(*\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_TABLE = re.compile(r"\bFROM\s+(?:ONLY\s+)?([\w.\"]+)", re.IGNORECASE)
_LIMIT = re.compile(r"\bLIMIT\s+(\d+)\s*\)*\s*;?\s*$", re.IGNORECASE)


def search(attributes: Mapping[str, Any] | None) -> Retrieval | None:
    """Return the search that a span's statement makes; None where it makes none."""
    if not attributes:
        return None
    statement = attributes.get(semconv.DB_QUERY_TEXT) or attributes.get(semconv.DB_STATEMENT)
    if not isinstance(statement, str) or "<" not in statement:
        return None
    if (attributes.get(semconv.DB_SYSTEM_NAME) or attributes.get(semconv.DB_SYSTEM)) not in _SYSTEMS:
        return None
    # An operator inside of a text is a word of the text.
    bare = _TEXT.sub("''", statement)
    if not _OPERATOR.search(bare) or not _READS.match(bare):
        return None
    from obs_run.core.operations import Retrieval

    table, limit = _TABLE.search(bare), _LIMIT.search(bare)
    name = None if table is None else table[1].replace('"', "")
    return Retrieval(data_source=name, collection=name, top_k=None if limit is None else int(limit[1]))
