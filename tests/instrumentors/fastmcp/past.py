"""Calls of fastmcp's server past all messages; release 3 does not make its own spans by the conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.fastmcp.library import LIBRARY
from tests.instrumentors.mcp import servers
from tests.instrumentors.mcp.library import CITY
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


def test_a_call_past_all_messages_keeps_the_spans_of_fastmcp(its: Any, telemetry: Any) -> None:
    its.run(servers.make_server(its.server_kind).call_tool("weather", CITY))
    (span,) = telemetry.spans()
    assert (span.kind.name, span.instrumentation_scope.name) == ("SERVER", "fastmcp")
