"""What a record of another logging library takes from the agent, none of whose code runs for that."""

from __future__ import annotations

from typing import Any

from obs_run.base import passive_values
from obs_run.base.plain_values import Snapshot


class PassiveSnapshot(Snapshot):
    """A snapshot that tells objects by their classes."""

    __slots__ = ()

    def _is_mapping(self, kind: type) -> bool:
        return issubclass(kind, dict)

    def _text_of(self, value: Any) -> str:
        has_own_text = issubclass(type(value), (str, bytes, bytearray, memoryview))
        if has_own_text or passive_values.has_known_text(value):
            return super()._text_of(value)
        return passive_values.told_by_class(value)
