from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, use_span

from obs_run.context import log_context
from obs_run.context.log_context import attached, correlation_id, fields

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def test_contexts_are_nested_and_none_overrides_nothing() -> None:
    assert fields() == {}
    with attached(operation="login", user_id="u1") as outer:
        assert outer == fields() == {"operation": "login", "user_id": "u1"}
        with attached(operation=None, user_id="u2", service="a", self=1):
            assert fields() == {"operation": "login", "user_id": "u2", "service": "a", "self": 1}
        assert fields() == {"operation": "login", "user_id": "u1"}
    assert fields() == {}


def test_the_correlation_id_is_baggage_that_other_services_receive() -> None:
    headers: dict[str, str] = {}
    assert correlation_id() is None
    with attached(correlation_id="req 1,ü"):
        assert correlation_id() == "req 1,ü"
        inject(headers)
    assert correlation_id() is None
    assert baggage.get_baggage("correlation_id", extract(headers)) == "req 1,ü"


def test_a_correlation_id_that_came_as_baggage_is_known_and_an_own_one_wins() -> None:
    from opentelemetry import context

    token = context.attach(extract({"baggage": "correlation_id=theirs"}))
    try:
        assert correlation_id() == "theirs"
        assert fields() == {}
        with attached(correlation_id="ours"):
            assert correlation_id() == "ours"
            assert baggage.get_baggage("correlation_id") == "ours"
    finally:
        context.detach(token)


def test_what_is_not_a_text_is_shown_and_too_long_a_one_is_no_baggage() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError

    with attached(correlation_id=7):
        assert correlation_id() == "7"
    with attached(correlation_id=Broken()):
        assert correlation_id() == "<Broken that cannot be shown>"
    with attached(correlation_id="x" * 5000):
        assert correlation_id() == "x" * 5000
        assert baggage.get_all() == {}


def test_spans_keep_the_fields() -> None:
    with attached(operation="a"), use_span(NonRecordingSpan(INVALID_SPAN_CONTEXT)):
        assert fields() == {"operation": "a"}


async def test_tasks_do_not_share_what_they_add() -> None:
    async def one(number: int) -> list[Any]:
        with attached(number=number):
            seen = []
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(dict(fields()))
            return seen

    with attached(operation="all"):
        found = await asyncio.gather(*(one(number) for number in range(50)))
    assert found == [[{"operation": "all", "number": number}] * 3 for number in range(50)]


async def test_leaving_in_another_context_says_nothing(caplog: Any) -> None:
    async def items() -> AsyncIterator[int]:
        with attached(operation="stream"):
            yield 1
            yield 2

    stream = items()
    assert await asyncio.create_task(stream.__anext__()) == 1  # type: ignore[arg-type]
    await stream.aclose()  # type: ignore[attr-defined]
    assert fields() == {}
    assert caplog.records == []


def test_asking_loads_nothing_of_opentelemetry() -> None:
    asked = (
        "import sys; from obs_run.context import log_context as c;"
        "assert c.fields() == {} and c.correlation_id() is None;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_the_key_of_the_baggage_is_fixed() -> None:
    assert log_context.CORRELATION_ID == "correlation_id"
