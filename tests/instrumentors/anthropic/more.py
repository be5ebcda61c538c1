"""What the scenario set does not show: who answers, and the client's own tracing from 1.14 on."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.anthropic.library import ANSWER, ASKED, MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator

anthropic = importlib.import_module("anthropic")
VERSION = tuple(map(int, anthropic.__version__.split(".")[:2]))
TRACES_ITSELF = VERSION >= (1, 14)
MODULES = ("", ".lib.streaming._messages", ".lib.streaming._beta_messages", ".lib.tools._beta_runner")


@contextlib.contextmanager
def hooked() -> Iterator[None]:
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    for name in MODULES:
        # The oldest release has no beta helpers.
        with contextlib.suppress(ImportError):
            importlib.import_module(f"anthropic{name}")
    for module, instrumentor in TABLE.items():
        if module.startswith("anthropic.") and module in sys.modules:
            hooks.instrument(instrumentor, sys.modules[module])
    yield
    hooks.undo()


@pytest.fixture
def instrumented(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with hooked():
        yield


def _client(stub: Any, **options: Any) -> Any:
    return anthropic.Anthropic(**{"base_url": stub.origin, "api_key": "none", **options})


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.deepseek.com/anthropic", "deepseek"),
        ("https://openrouter.ai/api", "openrouter"),
        ("http://localhost:4000", "anthropic"),
    ],
)
def test_the_provider_is_named_by_the_endpoint(url: str, provider: str, stub: Any) -> None:
    from obs_instrumentors.anthropic import _read_provider

    from obs_run.core.operations import Inference

    operation = Inference("chat")
    _read_provider(operation, _client(stub, base_url=url))
    assert operation.provider == provider


def _platforms() -> dict[str, tuple[dict[str, Any], str]]:
    """Return the clients of other platforms that this release has and that need no cloud library."""
    made: dict[str, tuple[dict[str, Any], str]] = {
        "AnthropicFoundry": ({"api_key": "none"}, "azure.ai.inference"),
        "AnthropicBedrockMantle": ({"api_key": "none", "aws_region": "eu-west-1"}, "aws.bedrock"),
        "AnthropicAWS": ({"api_key": "none", "aws_region": "eu-west-1", "workspace_id": "w"}, "anthropic"),
    }
    return {name: options for name, options in made.items() if hasattr(anthropic, name)}


def test_platforms(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    for name, (options, provider) in _platforms().items():
        telemetry.clear()
        with getattr(anthropic, name)(base_url=stub.origin, **options) as client:
            client.messages.create(**ASKED)
        attributes = telemetry.attributes()
        assert attributes["gen_ai.provider.name"] == provider
        assert attributes["gen_ai.usage.output_tokens"] == 10


def test_the_models_of_bedrock_and_vertex_are_named(stub: Any) -> None:
    from obs_instrumentors.anthropic import _read_provider

    from obs_run.core.operations import Inference

    for name, provider in (("AnthropicBedrock", "aws.bedrock"), ("AsyncAnthropicVertex", "gcp.vertex_ai")):
        kind = type(name, (anthropic.Anthropic,), {})
        operation = Inference("chat")
        _read_provider(operation, kind(base_url=stub.origin, api_key="none"))
        assert operation.provider == provider


def test_errors_amid_a_stream(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    with _client(stub) as client, pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(**{**ASKED, "model": f"{MODEL}+stream-error=3"}, stream=True))
    attributes = telemetry.attributes()
    assert attributes["error.type"] == "overloaded_error"
    assert "gen_ai.usage.output_tokens" not in attributes


def test_the_request_is_named(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    with _client(stub) as client:
        message = client.messages.create(**ASKED)
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(**{**ASKED, "model": "stub-400"})
    ids = [span.attributes["anthropic.request.id"] for span in telemetry.spans()]
    assert ids == [message._request_id, caught.value.request_id]


def test_metrics_of_cached_tokens(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    with _client(stub) as client:
        for stream in (False, True):
            made = client.messages.create(**{**ASKED, "model": f"{MODEL}+cached"}, stream=stream)
            list(made)
    first, second = ({key: span.attributes[key] for key in _USAGE} for span in telemetry.spans())
    assert first == second == dict(zip(_USAGE, (33, 10, 20, 10), strict=True))


_USAGE = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
)


def _options() -> dict[str, dict[str, Any]]:
    from opentelemetry import trace

    told: dict[str, Any] = {
        "nothing": {},
        "off": {"open_telemetry": False},
        "empty": {"open_telemetry": {}},
        "content": {"open_telemetry": {"traces": {"content_mode": "content"}}},
        "conversation": {"open_telemetry": {"conversation_id": "conv-1"}},
        "the process's provider": {"open_telemetry": {"tracer_provider": trace.get_tracer_provider()}},
    }
    return told if TRACES_ITSELF else {"nothing": {}}


@pytest.mark.parametrize("name", ["nothing", "off", "empty", "content", "conversation", "the process's provider"])
@pytest.mark.parametrize("stream", [False, True])
def test_one_span_whatever_the_client_is_told(
    name: str, stream: Any, stub: Any, instrumented: None, telemetry: Any
) -> None:
    assert instrumented is None
    # Releases that don't trace themselves take no such option.
    options = _options().get(name, {})
    with _client(stub, **options) as client, client.with_options(timeout=9) as copied:
        made = copied.messages.create(**ASKED, stream=stream)
        if stream:
            list(made)
    span = telemetry.span()
    assert span.name == f"chat {MODEL}"
    assert span.instrumentation_scope.name == "obs_run"
    wanted = "conv-1" if options and name == "conversation" else None
    assert span.attributes.get("gen_ai.conversation.id") == wanted


@pytest.mark.parametrize("value", [None, "true", "false"])
@pytest.mark.parametrize("propagation", [None, "true", "false"])
def test_the_trace_context_stays_unless_the_user_says_otherwise(
    value: str | None,
    propagation: str | None,
    stub: Any,
    instrumented: None,
    telemetry: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert instrumented is None
    for name, told in (("", value), ("_PROPAGATION", propagation)):
        if told is not None:
            monkeypatch.setenv(f"ANTHROPIC_OPEN_TELEMETRY{name}", told)
    stub.reset()
    with _client(stub) as client:
        client.messages.create(**ASKED)
        if hasattr(client, "models"):
            client.models.list()
    sent = [request["headers"].get("traceparent") for request in stub.state.requests]
    goes = TRACES_ITSELF and propagation == "true" and value != "false"
    span = next(span for span in telemetry.spans() if span.name == f"chat {MODEL}")
    if goes:
        # The client sends the context of the span that stands for its own.
        assert sent[0].split("-")[2] == f"{span.context.span_id:016x}"
    assert all((each is not None) == goes for each in sent)


def test_what_we_do_not_record_keeps_its_span(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    with _client(stub) as client:
        if hasattr(client, "models"):
            client.models.list()
    assert [span.name for span in telemetry.spans()] == ["anthropic.models.list"] * TRACES_ITSELF


def test_a_provider_of_its_own_gets_the_clients_spans(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    options: dict[str, Any] = {"open_telemetry": {"tracer_provider": provider}} if TRACES_ITSELF else {}
    with _client(stub, **options) as client:
        assert client.messages.create(**ASKED).content[0].text == ANSWER
    assert telemetry.span().name == f"chat {MODEL}"
    assert [span.name for span in kept.get_finished_spans()] == ["anthropic.messages.create"] * TRACES_ITSELF


def test_a_call_inside_of_another_recorded_call_is_not_told_again(
    stub: Any, instrumented: None, telemetry: Any
) -> None:
    from obs_run.core import recorder
    from obs_run.core.operations import Inference

    assert instrumented is None
    recording = recorder.start(Inference("chat", provider="anthropic", request_model="outer"))
    assert recording is not None
    with recording, _client(stub) as client:
        client.messages.create(**ASKED)
    recording.end()
    assert telemetry.span().name == "chat outer"
