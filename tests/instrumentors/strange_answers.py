"""What an agent gets of an answer, however strange, with and without us."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.instrumentors.conftest import Telemetry

FEW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def outcome(ask: Callable[[], Any]) -> str:
    """Return what a call gives or raises, as text that does not differ from run to run."""
    try:
        said = repr(ask())
    except Exception as error:  # noqa: BLE001 (whatever it is, it is to be the same)
        said = f"{type(error).__name__}: {error}"
    return re.sub(r"0x[0-9a-f]+|'date': '[^']*'|:\d{4,5}\b", "", said)


def assert_one_span_and_the_same(
    ask: Callable[[], Any], instrumented: Callable[[], AbstractContextManager[Any]], telemetry: Telemetry
) -> None:
    """Ask without us and with us: the agent gets the same, there is one span, and nothing of ours failed."""
    from obs_run.base import guard

    without = outcome(ask)
    telemetry.clear()
    with instrumented():
        assert outcome(ask) == without
    telemetry.span()
    assert not guard.has_failed()
    # What is no part of the conventions may well be in it.
    telemetry.clear()
