"""The spans that the SDK makes itself stand back, all but those that the agent makes by the SDK's functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.native_spans import AdoptedApi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SWITCH = "OTEL_INSTRUMENTATION_A2A_SDK_ENABLED"
_OWN = "a2a."


def have_spans_stand_back(telemetry: Any) -> Callable[[], object]:
    """Give the module that makes the SDK's spans tracers that make none of its own; return what takes that back.

    The SDK decides at its import whether it makes spans. Where the environment says so, the user has decided.
    """
    api = payload.get(telemetry, "trace")
    if os.environ.get(_SWITCH) is not None or payload.get(telemetry, "otel_enabled") is not True or api is None:
        return _leave
    telemetry.trace = AdoptedApi(api, is_own)

    def take_back() -> None:
        telemetry.trace = api

    return take_back


def is_own(name: str, _attributes: Mapping[str, Any], _operation: Any) -> bool:
    """Whether a span is one of the SDK's functions, by whose names they are called."""
    return name.startswith(_OWN)


def _leave() -> None:
    """Take nothing back."""
