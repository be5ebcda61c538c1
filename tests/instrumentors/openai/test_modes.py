"""Chat completions in every call mode, for every library of the family: one span, and what it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.openai.drivers import driver, instrument, numbers_tries
from tests.instrumentors.trees import Node, assert_trees
from tests.ports import nobody
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Where to?"}]}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("weather", "hotels")
]

MODES: dict[str, Callable[[Any], Any]] = {
    "plain": lambda calls: calls.run(calls.chat.create(**ASKED)),
    "stream": lambda calls: calls.streamed(**ASKED),
    "stream, usage wanted": lambda calls: calls.streamed(
        **ASKED, extra_body={"stream_options": {"include_usage": True}}
    ),
    "raw": lambda calls: calls.parsed(calls.raw(**ASKED)),
    "raw stream": lambda calls: calls.parsed(calls.raw(stream=True, **ASKED)),
    "streaming, parsed": lambda calls: calls.streaming("parsed", **ASKED),
    "streaming, stream parsed": lambda calls: calls.streaming("parsed", stream=True, **ASKED),
    "streaming, lines": lambda calls: calls.streaming("lines", stream=True, **ASKED),
    "streaming, unread": lambda calls: calls.streaming("unread", **ASKED),
    "tools": lambda calls: calls.run(calls.chat.create(**ASKED, tools=TOOLS)),
    "stream of tools": lambda calls: calls.streamed(**ASKED, tools=TOOLS),
    "abandoned": lambda calls: calls.abandoned(**ASKED),
    "left": lambda calls: calls.left(**ASKED),
}
NO_USAGE = {
    "raw stream",
    "streaming, stream parsed",
    "streaming, lines",
    "streaming, unread",
    "abandoned",
    "left",
}
UNREAD = {"streaming, unread"}
STREAMS = {
    "stream",
    "stream, usage wanted",
    "raw stream",
    "streaming, stream parsed",
    "streaming, lines",
    "stream of tools",
    "abandoned",
    "left",
}
ABANDONED = {"streaming, unread", "abandoned", "left"}


def expected(mode: str, library: Any, stub: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": library.provider,
        "gen_ai.request.model": MODEL,
        "server.address": stub.host,
        "server.port": stub.port,
        "openai.api.type": "chat_completions",
    }
    if mode not in UNREAD:
        attributes["gen_ai.response.model"] = "gpt-5-mini-2025-08-07"
    if mode in STREAMS:
        attributes["gen_ai.request.stream"] = True
    if mode in ABANDONED:
        attributes["obs.response.stream_end"] = "abandoned"
    elif mode not in UNREAD:
        attributes["gen_ai.response.finish_reasons"] = ("tool_call",) if "tools" in mode else ("stop",)
    if mode not in NO_USAGE:
        attributes["gen_ai.usage.input_tokens"] = 3
    if mode in ("stream", "stream of tools"):
        attributes["obs.usage.source"] = "requested"
    if "tools" in mode:
        attributes["obs.response.tool_calls"] = ("weather", "hotels")
    return attributes


_MEASURED = (
    "gen_ai.response.id",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.audio.input_tokens",
    "gen_ai.usage.audio.output_tokens",
    "openai.response.service_tier",
    "openai.response.system_fingerprint",
    "obs.cost.input",
    "obs.cost.output",
    "obs.cost.total",
    "obs.cost.price_table",
    *exceptions.VIEWERS,
)


@pytest.mark.parametrize("mode", MODES)
def test_mode_gives_one_span(mode: str, calls: Any, telemetry: Any, library: Any, stub: Any) -> None:
    kept = MODES[mode](calls)
    span = telemetry.span()
    attributes = dict(span.attributes)
    measured = {name: attributes.pop(name) for name in _MEASURED if name in attributes}
    assert (span.name, span.kind.name, span.status.status_code.name) == (f"chat {MODEL}", "CLIENT", "UNSET")
    if library.reads_ahead and mode in ABANDONED:
        for name in ("gen_ai.usage.input_tokens", "obs.usage.source"):
            attributes.pop(name, None)
        measured.pop("gen_ai.usage.output_tokens", None)
    assert attributes == expected(mode, library, stub)
    assert ("gen_ai.usage.output_tokens" in measured) == (mode not in NO_USAGE)
    iterated = mode in STREAMS and mode not in UNREAD
    assert ("gen_ai.response.time_to_first_chunk" in measured) == iterated
    assert telemetry.events("gen_ai.client.operation.exception") == []
    del kept


@pytest.mark.parametrize("mode", MODES)
def test_agent_sees_the_same(mode: str, plain_calls: Any, telemetry: Any, library: Any, stub: Any) -> None:
    from obs_run.core import hooks

    without = seen(MODES[mode], plain_calls, stub)
    assert telemetry.spans() == []
    instrument(library)
    try:
        with_us = seen(MODES[mode], plain_calls, stub)
    finally:
        hooks.undo()
    assert with_us == without
    assert telemetry.span()


def seen(mode: Callable[[Any], Any], calls: Any, stub: Any) -> Any:
    stub.reset()
    returned = mode(calls)
    if isinstance(returned, list):
        return [_dump(item) for item in returned]
    return _dump(returned)


def _dump(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return type(value), _without_ids(value.model_dump(exclude_unset=True)), _without_ids(value.model_dump())
    # What a stream is, where its content was left unread.
    return _without_ids(value) if isinstance(value, str) else type(value)


def _without_ids(value: Any) -> Any:
    """Leave out the stub's numbers: a request that an earlier test abandoned may still take one."""
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    return re.sub(r"(?<=[-_])0{3,}[0-9]+", "N", value) if isinstance(value, str) else value


def test_retries_are_one_span(calls: Any, telemetry: Any, package: Any) -> None:
    calls.run(calls.chat.create(model="stub-429-once", messages=ASKED["messages"]))
    attributes = telemetry.attributes()
    assert attributes.get("obs.request.retries") == (1 if numbers_tries(package) else None)
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)


@pytest.mark.parametrize(
    ("model", "error_type", "kind"),
    [
        ("stub-400", "invalid_value", "BadRequestError"),
        ("stub-401", "invalid_api_key", "AuthenticationError"),
        ("stub-context-length", "context_length_exceeded", "BadRequestError"),
        ("stub-quota", "insufficient_quota", "RateLimitError"),
        ("stub-500", "InternalServerError", "InternalServerError"),
    ],
)
def test_errors(model: str, error_type: str, kind: str, calls: Any, telemetry: Any, package: Any) -> None:
    with pytest.raises(getattr(package, kind)) as caught:
        calls.run(calls.chat.create(model=model, messages=ASKED["messages"]))
    span = telemetry.span()
    assert span.attributes["error.type"].endswith(error_type)
    assert span.status.status_code.name == "ERROR"
    assert span.status.description == str(caught.value)
    assert Path(caught.traceback[-1].path).name == "_base_client.py"
    (event,) = telemetry.events("gen_ai.client.operation.exception")
    assert event.attributes["exception.message"] == str(caught.value)
    assert event.span_id == span.context.span_id


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("base_url", "error"),
    [(None, "APITimeoutError"), (f"http://{nobody()}", "APIConnectionError")],
    ids=["timeout", "nobody"],
)
def test_no_answer(
    kind: str,
    base_url: str | None,
    error: str,
    instrumented: None,
    telemetry: Any,
    library: Any,
    package: Any,
    stub: Any,
) -> None:
    assert instrumented is None
    options = {"base_url": base_url} if base_url else {}
    calls = driver(kind, library, package, stub, max_retries=0, timeout=30 if base_url else 0.2, **options)
    try:
        with pytest.raises(getattr(package, error)) as raised:
            calls.run(calls.chat.create(model="gpt-5-mini+wait=0.6", messages=ASKED["messages"]))
    finally:
        calls.close()
    attributes = telemetry.attributes()
    # fireworks' async client takes a refused connection for a timeout, which is a kind of it.
    assert attributes["error.type"].endswith(type(raised.value).__name__)
    assert "gen_ai.response.id" not in attributes


def test_error_in_a_stream(calls: Any, telemetry: Any, package: Any, library: Any) -> None:
    seen = None
    try:
        calls.streamed(model=f"{MODEL}+stream-error", messages=ASKED["messages"])
    except package.APIError as error:
        seen = error
    # Fireworks' client hands the error to the agent as a chunk.
    assert (seen is None) == (library.provider == "fireworks_ai")
    span = telemetry.span()
    assert span.attributes["error.type"] == "server_error"
    assert span.status.status_code.name == "ERROR"


def test_dropped_connection(calls: Any, telemetry: Any) -> None:
    with pytest.raises(Exception, match=r"peer closed|Connection|Response payload") as caught:
        calls.streamed(model=f"{MODEL}+drop", messages=ASKED["messages"])
    span = telemetry.span()
    assert span.attributes["error.type"].endswith(type(caught.value).__name__)
    assert "gen_ai.usage.output_tokens" not in span.attributes


def test_cancelled_in_the_middle_of_a_stream(
    library: Any, package: Any, stub: Any, instrumented: None, telemetry: Any
) -> None:
    assert instrumented is None

    async def reading(calls: Any) -> None:
        begun = asyncio.Event()

        async def read() -> None:
            stream = await calls.chat.create(model=f"{MODEL}+slow=0.3", messages=ASKED["messages"], stream=True)
            async for _ in stream:
                begun.set()

        task = asyncio.ensure_future(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    calls = driver("async", library, package, stub)
    calls.run(reading(calls))
    calls.close()
    attributes = telemetry.attributes()
    assert attributes["obs.response.stream_end"] == "cancelled"
    assert attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_parent_is_the_agents_span(calls: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    with trace.get_tracer("agent").start_as_current_span("step") as step:
        calls.run(calls.chat.create(**ASKED))
        calls.streamed(**ASKED)
        assert trace.get_current_span() is step
    streamed = Node(f"chat {MODEL}", attributes={"gen_ai.request.stream": True})
    assert_trees(telemetry.spans(), Node("step", Node(f"chat {MODEL}"), streamed))


def test_metrics(calls: Any, telemetry: Any, library: Any, stub: Any) -> None:
    model = f"measured-{calls.kind}"
    calls.run(calls.chat.create(model=model, messages=ASKED["messages"]))
    calls.streamed(model=model, messages=ASKED["messages"])
    labels = {"gen_ai.request.model": model, "gen_ai.provider.name": library.provider, "server.port": stub.port}
    (durations,) = telemetry.points("gen_ai.client.inference.duration", **labels)
    (old_durations,) = telemetry.points("gen_ai.client.operation.duration", **labels)
    assert (durations.count, old_durations.count) == (2, 2)
    (first_chunks,) = telemetry.points("gen_ai.client.inference.time_to_first_chunk", **labels)
    assert first_chunks.count == 1
    inputs = telemetry.points("gen_ai.client.inference.usage.input_tokens", **labels)
    assert sum(point.value for point in inputs) == 6
    (old_inputs,) = telemetry.points("gen_ai.client.token.usage", **labels, **{"gen_ai.token.type": "input"})
    assert (old_inputs.count, old_inputs.sum) == (2, 6)
