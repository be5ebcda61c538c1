"""What OpenAI's formats mean, in the shapes that servers of others give them: with OpenAI's own client over HTTP."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
CHUNK: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {**CHUNK, "choices": [{"index": index, "delta": delta, "finish_reason": reason}], **more}


def completion(reason: str | None = "stop", usage: Any = USED, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": "hi", **message}}
    return {**CHUNK, "object": "chat.completion", "choices": [choice], "usage": usage}


def response(*output: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5-mini",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "status": "completed",
        "usage": {
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
        **more,
    }


def called(name: str, arguments: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


class Client:
    """OpenAI's client in front of answers."""

    def __init__(self, package: Any, server: AnswersServer) -> None:
        self.server = server
        self.openai = package.OpenAI(api_key="none", base_url=server.url, max_retries=0)

    def chat(self, **more: Any) -> Any:
        return self.openai.chat.completions.create(**{**ASKED, **more})

    def streamed(self, **more: Any) -> list[Any]:
        return list(self.chat(stream=True, **more))

    def respond(self, **more: Any) -> Any:
        return self.openai.responses.create(**{"model": "gpt-5-mini", "input": "x", **more})


@pytest.fixture
def answering(package: Any, instrumented: None) -> Any:
    """Return what gives a client for answers."""
    assert instrumented is None
    opened: list[tuple[AnswersServer, Client]] = []

    def answer(*answers: Any) -> Client:
        server = AnswersServer(*answers).__enter__()
        opened.append((server, Client(package, server)))
        return opened[-1][1]

    yield answer
    for server, client in opened:
        client.openai.close()
        server.__exit__()


def output_of(telemetry: Any) -> list[Any]:
    return list(json.loads(telemetry.attributes()["gen_ai.output.messages"]))


def input_of(telemetry: Any) -> list[Any]:
    return list(json.loads(telemetry.attributes()["gen_ai.input.messages"]))


FAILED = {"message": "Provider returned error", "code": 429}
ERRORS: dict[str, tuple[Any, Callable[[Client], Any], str]] = {
    "chat": ({"error": FAILED}, lambda c: c.chat(), "429"),
    "code as text": ({"error": {"message": "x", "code": "rate_limit"}}, lambda c: c.chat(), "rate_limit"),
    "type": ({"error": {"message": "x", "type": "server_error", "code": None}}, lambda c: c.chat(), "server_error"),
    "text": ({"error": "out of memory"}, lambda c: c.chat(), "_OTHER"),
    "an older server": ({"object": "error", "message": "x", "code": 40303}, lambda c: c.chat(), "40303"),
    "a gateway": ({"detail": "Not authenticated"}, lambda c: c.chat(), "_OTHER"),
    "a status of its own": (
        {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}},
        lambda c: c.chat(),
        "1004",
    ),
    "choice": ({**CHUNK, "choices": [{"index": 0, "error": FAILED, "message": {}}]}, lambda c: c.chat(), "429"),
    "reason": (completion("error"), lambda c: c.chat(), "_OTHER"),
    "completion": ({"error": FAILED}, lambda c: c.openai.completions.create(model="m", prompt="x"), "429"),
    "embeddings": (
        {"error": FAILED},
        lambda c: c.openai.post("/embeddings", cast_to=object, body={"input": "x"}),
        "429",
    ),
    "images": ({"error": FAILED}, lambda c: c.openai.images.generate(model="m", prompt="x"), "429"),
    "moderation": ({"error": FAILED}, lambda c: c.openai.moderations.create(model="m", input="x"), "429"),
    "response": ({"error": FAILED}, lambda c: c.respond(), "429"),
    "failed response": (
        response(status="failed", error={"code": "server_error", "message": "x"}),
        lambda c: c.respond(),
        "server_error",
    ),
}


@pytest.mark.sampled
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", ERRORS)
def test_an_error_inside_of_a_200_is_one(case: str, answering: Any, telemetry: Any) -> None:
    answer, act, code = ERRORS[case]
    act(answering(answer))
    span = telemetry.span()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["error.type"] == code


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ({**CHUNK, "choices": [], "error": FAILED}, "429"),
        (chunk({}, "error", error={"code": 502, "message": "x"}), "502"),
        ({"error": {"message": "x", "code": "slow_down"}}, "slow_down"),
    ],
)
def test_an_error_amid_a_stream(last: Any, code: str, answering: Any, package: Any, telemetry: Any) -> None:
    with pytest.raises(package.APIError):
        answering([chunk({"content": "Hel"}), last]).streamed()
    span = telemetry.span()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["error.type"] == code


def test_a_choice_of_a_stream_that_failed(answering: Any, telemetry: Any) -> None:
    last = chunk({}, "error")
    last["choices"][0]["error"] = FAILED
    answering([chunk({"content": "Hel"}), last]).streamed()
    assert telemetry.span().status.status_code.name == "ERROR"
    assert telemetry.attributes()["error.type"] == "429"


@pytest.mark.parametrize("nothing", [None, {}, "", False])
def test_an_error_that_is_none(nothing: Any, answering: Any, telemetry: Any) -> None:
    answering({**completion(), "error": nothing, "base_resp": {"status_code": 0}}).chat()
    assert telemetry.span().status.status_code.name == "UNSET"


def test_incomplete_is_no_error(answering: Any, telemetry: Any) -> None:
    answering(response(status="incomplete", incomplete_details={"reason": "content_filter"})).respond()
    span = telemetry.span()
    assert span.status.status_code.name == "UNSET"
    assert span.attributes["gen_ai.response.finish_reasons"] == ("content_filter",)


OSLO, ROME = '{"city":"Oslo"}', '{"city":"Rome"}'
STREAMS: dict[str, list[list[dict[str, Any]]]] = {
    "one index for all": [[called("a", OSLO, index=0, id="1")], [called("b", ROME, index=0, id="2")]],
    "no index": [[called("a", OSLO, id="1")], [called("b", ROME, id="2")]],
    "index null": [[called("a", OSLO, index=None, id="1")], [called("b", ROME, index=None, id="2")]],
    "no index in one chunk": [[called("a", OSLO, id="1"), called("b", ROME, id="2")]],
    "id in each piece": [
        [called("a", '{"city":', index=0, id="1")],
        [called("", '"Oslo"}', index=0, id="1")],
        [called("b", ROME, index=1, id="2")],
    ],
    "id and name in each piece, no index": [
        [called("a", '{"city":', id="1")],
        [called("a", '"Oslo"}', id="1")],
        [called("b", '{"city":', id="2")],
        [called("b", '"Rome"}', id="2")],
    ],
    "pieces by turns": [
        [called("a", '{"city":', index=0, id="1"), called("b", "", index=1, id="2")],
        [{"index": 1, "function": {"arguments": ROME}}],
        [{"index": 0, "function": {"arguments": '"Oslo"}'}}],
    ],
    "another id without index goes on": [
        [called("a", '{"city":', id="1")],
        [{"function": {"arguments": '"Oslo"}'}}],
        [called("b", '{"city":', id="2")],
        [{"index": None, "function": {"arguments": '"Rome"}'}}],
    ],
}


@pytest.mark.sampled
@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("case", STREAMS)
def test_calls_of_a_stream_are_told_apart(case: str, answering: Any, telemetry: Any) -> None:
    chunks = [chunk({"tool_calls": calls}) for calls in STREAMS[case]]
    answering([*chunks, chunk({}, "tool_calls")]).streamed()
    assert telemetry.attributes()["obs.response.tool_calls"] == ("a", "b")
    (message,) = output_of(telemetry)
    assert message["parts"] == [
        {"type": "tool_call", "id": "1", "name": "a", "arguments": OSLO},
        {"type": "tool_call", "id": "2", "name": "b", "arguments": ROME},
    ]


def test_calls_without_any_ids(answering: Any, telemetry: Any) -> None:
    calls = [[called("a", OSLO, index=0)], [called("a", ROME, index=0)], [called("b", ROME, index=0)]]
    answering([*(chunk({"tool_calls": each}) for each in calls), chunk({}, "tool_calls")]).streamed()
    assert telemetry.attributes()["obs.response.tool_calls"] == ("a", "a", "b")


@pytest.mark.parametrize("piece", [{"index": 0, "id": "1"}, {"index": 0}, {"id": "1"}, {}])
def test_a_name_that_is_repeated_is_one_call(piece: Any, answering: Any, telemetry: Any) -> None:
    pieces = [[called("a", text, **piece)] for text in ('{"city":', '{"a":1}', "}")]
    answering([*(chunk({"tool_calls": each}) for each in pieces), chunk({}, "tool_calls")]).streamed()
    assert telemetry.attributes()["obs.response.tool_calls"] == ("a",)


@pytest.mark.usefixtures("with_content")
def test_what_was_said_in_a_stream_of_audio(answering: Any, telemetry: Any) -> None:
    pieces = [{"id": "audio_1", "transcript": "Hel"}, {"transcript": "lo"}, {"data": "aGVsbG8="}, {"expires_at": 5}]
    answering([*(chunk({"audio": each}) for each in pieces), chunk({}, "stop")]).streamed()
    (message,) = output_of(telemetry)
    assert message["parts"] == [
        {"type": "text", "content": "Hello"},
        {"type": "omitted_blob", "modality": "audio", "mime_type": None, "size": 5},
    ]


@pytest.mark.usefixtures("with_content")
def test_a_whole_answer_without_a_reason_is_no_error(answering: Any, telemetry: Any) -> None:
    answering(completion(None)).chat()
    assert "gen_ai.response.finish_reasons" not in telemetry.attributes()
    assert output_of(telemetry) == [{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]


@pytest.mark.usefixtures("with_content")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_reasons_of_legacy_completions_come_once_and_in_order(answering: Any, telemetry: Any) -> None:
    pieces = [(1, "b", None), (0, "a", None), (1, "", "length"), (1, "", "length"), (0, "", "stop")]
    chunks = [
        {
            "id": "c",
            "object": "text_completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": index, "text": text, "finish_reason": reason, "logprobs": None}],
        }
        for index, text, reason in pieces
    ]
    list(answering(chunks).openai.completions.create(model="m", prompt="x", n=2, stream=True))
    assert telemetry.attributes()["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert [message["finish_reason"] for message in output_of(telemetry)] == ["stop", "length"]


USAGES: dict[str, tuple[dict[str, Any], tuple[int, int, int | None]]] = {
    "Gemini": ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}, (10, 105, 100)),
    "xAI": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 115,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        (10, 105, 100),
    ),
    "OpenAI": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 105,
            "total_tokens": 115,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        (10, 105, 100),
    ),
    "no total": (
        {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 100}},
        (10, 105, 100),
    ),
    "cached beside": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 65,
            "prompt_tokens_details": {"cached_tokens": 50},
        },
        (60, 5, None),
    ),
    "Perplexity": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 200,
            "total_tokens": 210,
            "citation_tokens": 30,
            "reasoning_tokens": 100,
        },
        (10, 330, 100),
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", USAGES)
def test_reasoning_that_is_counted_beside_is_counted_in(
    case: str, answering: Any, telemetry: Any, *, stream: bool
) -> None:
    usage, counted = USAGES[case]
    if stream:
        answering([chunk({"content": "hi"}, "stop"), {**CHUNK, "choices": [], "usage": usage}]).streamed()
    else:
        answering(completion(usage=usage)).chat()
    attributes = telemetry.attributes()
    names = ("input_tokens", "output_tokens", "reasoning.output_tokens")
    assert tuple(attributes.get(f"gen_ai.usage.{name}") for name in names) == counted


def test_later_nulls_take_nothing_back(answering: Any, telemetry: Any) -> None:
    later = {"prompt_tokens": None, "completion_tokens": 5, "total_tokens": None, "cost": None}
    first = {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.5}
    answering([chunk({"content": "a"}, usage=first), chunk({}, "stop", usage=later)]).streamed()
    attributes = telemetry.attributes()
    assert attributes["gen_ai.usage.input_tokens"] == 10
    assert attributes["gen_ai.usage.output_tokens"] == 5
    assert attributes["obs.cost.total"] == 0.5


COSTS: dict[str, tuple[dict[str, Any], float]] = {
    "OpenRouter": ({"cost": 0.25}, 0.25),
    "free": ({"cost": 0}, 0.0),
    "a key of one's own": (
        {"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 1.0}},
        1.25,
    ),
    "Perplexity": ({"cost": {"input_tokens_cost": 0.1, "request_cost": 0.3, "total_cost": 0.4}}, 0.4),
    "DeepInfra": ({"estimated_cost": 0.125}, 0.125),
    "xAI": ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
}


@pytest.mark.sampled
@pytest.mark.parametrize("case", COSTS)
def test_the_answer_says_what_it_cost(case: str, answering: Any, telemetry: Any) -> None:
    more, cost = COSTS[case]
    answering(completion(usage={**USED, **more})).chat()
    attributes = telemetry.attributes()
    assert attributes["obs.cost.total"] == cost
    assert attributes["obs.cost.price_table"] == "provider"


def test_searches_are_paid_for(answering: Any, telemetry: Any) -> None:
    search = {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "x"}}
    opened = {**search, "action": {"type": "open_page", "url": "https://example.org"}}
    files = {"type": "file_search_call", "id": "f", "status": "completed", "queries": ["x"]}
    answering(response(search, opened, search, files)).respond()
    attributes = telemetry.attributes()
    assert attributes["obs.usage.web_searches"] == 2
    assert attributes["obs.usage.storage_searches"] == 1
    tokens = 100 * 0.25e-6 + 50 * 2e-6
    assert attributes["obs.cost.total"] == pytest.approx(tokens + 2 * 0.01 + 0.0025)


def test_the_provider_counts_the_searches(answering: Any, telemetry: Any) -> None:
    search = {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "x"}}
    answering(response(search, tool_usage={"web_search": {"num_requests": 4}, "image_gen": None})).respond()
    assert telemetry.attributes()["obs.usage.web_searches"] == 4


SHELL = {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None}
CLICK = {"type": "click", "x": 1, "y": 2, "button": "left"}
PATCH = {"type": "update_file", "path": "a.py", "diff": "+x"}
AGENTS_CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "shell": (
        {"type": "shell_call", "id": "s", "call_id": "1", "action": SHELL, "status": "completed"},
        {"name": "shell", "arguments": {"commands": ["ls"], "timeout_ms": 5}},
    ),
    "shell of the agent's own machine": (
        {"type": "shell_call", "id": "s", "call_id": "1", "action": SHELL, "environment": {"type": "local"}},
        {"name": "shell", "arguments": {"commands": ["ls"], "timeout_ms": 5}},
    ),
    "local shell": (
        {"type": "local_shell_call", "id": "s", "call_id": "1", "action": {"type": "exec", "command": ["ls"]}},
        {"name": "local_shell", "arguments": {"type": "exec", "command": ["ls"]}},
    ),
    "apply_patch": (
        {"type": "apply_patch_call", "id": "s", "call_id": "1", "operation": PATCH, "status": "completed"},
        {"name": "apply_patch", "arguments": PATCH},
    ),
    "computer": (
        {"type": "computer_call", "id": "s", "call_id": "1", "action": CLICK, "pending_safety_checks": []},
        {"name": "computer", "arguments": CLICK},
    ),
    "computer, several actions": (
        {"type": "computer_call", "id": "s", "call_id": "1", "actions": [CLICK, CLICK]},
        {"name": "computer", "arguments": {"actions": [CLICK, CLICK]}},
    ),
    "custom": (
        {"type": "custom_tool_call", "id": "s", "call_id": "1", "name": "sql", "input": "SELECT 1"},
        {"name": "sql", "arguments": "SELECT 1"},
    ),
    "search of tools": (
        {"type": "tool_search_call", "id": "s", "call_id": "1", "execution": "client", "arguments": {"q": "x"}},
        {"name": "tool_search", "arguments": {"q": "x"}},
    ),
    "not known today": (
        {"type": "browser_call", "id": "s", "call_id": "1", "steps": ["open"], "status": "completed"},
        {"name": "browser", "arguments": {"steps": ["open"]}},
    ),
}


@pytest.mark.sampled
@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", AGENTS_CALLS)
def test_calls_that_the_agent_has_to_make(case: str, answering: Any, telemetry: Any, *, stream: bool) -> None:
    item, told = AGENTS_CALLS[case]
    whole = response(item)
    events = [
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item},
        {"type": "response.completed", "sequence_number": 2, "response": whole},
    ]
    if stream:
        list(answering(events).respond(stream=True))
    else:
        answering(whole).respond()
    attributes = telemetry.attributes()
    assert attributes["obs.response.tool_calls"] == (told["name"],)
    assert attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    (message,) = output_of(telemetry)
    assert message["parts"] == [{"type": "tool_call", "id": "1", **told}]


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize(
    "more",
    [
        {"type": "shell_call", "environment": {"type": "container_reference"}},
        {"type": "tool_search_call", "execution": "server"},
    ],
)
def test_calls_that_the_provider_makes_itself(more: Any, answering: Any, telemetry: Any) -> None:
    answering(response({"id": "s", "call_id": "1", "action": {"commands": ["ls"]}, **more})).respond()
    assert telemetry.attributes()["gen_ai.response.finish_reasons"] == ("stop",)
    (message,) = output_of(telemetry)
    assert message["parts"][0]["type"] == "server_tool_call"


PIXEL = "data:image/png;base64,aGk="
SIZE = {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 2}
LOGS = {"type": "logs", "logs": "4"}
HIT = {"file_id": "file_1", "filename": "a.pdf", "score": 0.5, "text": "found"}
RESULTS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "mcp_call": (
        {"name": "add", "server_label": "math", "arguments": '{"a": 2}', "output": "4"},
        [{"type": "server_tool_call_response", "id": "i", "server_tool_call_response": {"type": "mcp", "output": "4"}}],
    ),
    "mcp_call, failed": (
        {"name": "add", "server_label": "math", "arguments": "{}", "error": "no such tool"},
        [
            {
                "type": "server_tool_call_response",
                "id": "i",
                "server_tool_call_response": {"type": "mcp", "error": "no such tool"},
            }
        ],
    ),
    "code_interpreter_call": (
        {"code": "2+2", "container_id": "c", "outputs": [LOGS, {"type": "image", "url": PIXEL}]},
        [
            {
                "type": "server_tool_call_response",
                "id": "i",
                "server_tool_call_response": {"type": "code_interpreter", "outputs": [LOGS, SIZE]},
            }
        ],
    ),
    "file_search_call": (
        {"queries": ["x"], "results": [HIT]},
        [
            {
                "type": "server_tool_call_response",
                "id": "i",
                "server_tool_call_response": {"type": "file_search", "results": [HIT]},
            }
        ],
    ),
    "image_generation_call": (
        {"result": "aGk=", "revised_prompt": "A small dog.", "output_format": "png"},
        [
            {
                "type": "server_tool_call_response",
                "id": "i",
                "server_tool_call_response": {"type": "image_generation", "revised_prompt": "A small dog."},
            },
            SIZE,
        ],
    ),
}


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("case", RESULTS)
def test_what_tools_of_the_provider_gave(case: str, answering: Any, telemetry: Any) -> None:
    fields, expected = RESULTS[case]
    item = {"type": case.partition(",")[0], "id": "i", "status": "completed", **fields}
    answering(response(item)).respond()
    (message,) = output_of(telemetry)
    call, *results = message["parts"]
    assert call["type"] == "server_tool_call"
    assert call["server_tool_call"]["status"] == "completed"
    assert results == expected


@pytest.mark.usefixtures("with_content")
def test_what_the_agent_sends_back(answering: Any, telemetry: Any) -> None:
    items: list[dict[str, Any]] = [
        {
            "type": "function_call_output",
            "call_id": "1",
            "output": [
                {"type": "input_text", "text": "seen"},
                {"type": "input_image", "image_url": PIXEL},
                {"type": "input_file", "filename": "a.pdf", "file_id": "file_1"},
            ],
        },
        {"type": "computer_call_output", "call_id": "2", "output": {"type": "computer_screenshot", "image_url": PIXEL}},
        {"type": "shell_call_output", "call_id": "3", "output": [{"stdout": "a", "outcome": {"type": "exit"}}]},
        {"type": "local_shell_call_output", "id": "4", "output": "b"},
        {"type": "apply_patch_call_output", "call_id": "5", "status": "failed", "output": "no"},
        {"type": "mcp_approval_request", "id": "6", "name": "pay", "arguments": "{}", "server_label": "bank"},
        {"type": "mcp_approval_response", "approval_request_id": "6", "approve": False, "reason": "too much"},
        {"type": "novelty", "id": "7", "inside": {"a": [1]}},
    ]
    answering(response()).respond(input=items)
    told = [(message["role"], message["parts"]) for message in input_of(telemetry)]
    assert told == [
        (
            "tool",
            [
                {"type": "tool_call_response", "id": "1", "response": "seen"},
                SIZE,
                {"type": "file", "modality": "document", "mime_type": None, "file_id": "file_1", "name": "a.pdf"},
            ],
        ),
        ("tool", [{"type": "tool_call_response", "id": "2", "response": {"type": "computer_screenshot"}}, SIZE]),
        (
            "tool",
            [{"type": "tool_call_response", "id": "3", "response": [{"stdout": "a", "outcome": {"type": "exit"}}]}],
        ),
        ("tool", [{"type": "tool_call_response", "id": "4", "response": "b"}]),
        ("tool", [{"type": "tool_call_response", "id": "5", "response": "no", "status": "failed"}]),
        ("assistant", [items[5]]),
        ("user", [items[6]]),
        ("assistant", [items[7]]),
    ]


@pytest.mark.usefixtures("with_content")
def test_what_a_stored_prompt_is_filled_with(answering: Any, telemetry: Any) -> None:
    variables = {"city": "Oslo", "map": {"type": "input_image", "image_url": PIXEL}}
    answering(response()).respond(prompt={"id": "pmpt_1", "version": "2", "variables": variables})
    assert json.loads(telemetry.attributes()["gen_ai.system_instructions"]) == [
        {"type": "prompt", "id": "pmpt_1", "version": "2", "variables": {"city": "Oslo", "map": SIZE}}
    ]


@pytest.mark.usefixtures("with_content")
def test_titles_of_citations(answering: Any, telemetry: Any) -> None:
    citation = {"type": "url_citation", "url": "https://example.org", "title": "Oslo", "start_index": 0, "end_index": 2}
    text = {"type": "output_text", "text": "hi", "annotations": [citation]}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    answering(response(item)).respond()
    (message,) = output_of(telemetry)
    assert message["parts"] == [{"type": "text", "content": "hi", "citations": [citation]}]


@pytest.mark.usefixtures("with_content")
def test_parts_of_a_chat_that_we_do_not_know(answering: Any, telemetry: Any) -> None:
    parts = [
        {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_id": "file_1"}},
        {"type": "novelty", "document": {"data": {"a": 1}}},
        {"type": "novelty"},
        "plain",
    ]
    tool = [{"type": "text", "text": "seen"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    history = [{"role": "user", "content": parts}, {"role": "tool", "tool_call_id": "1", "content": tool}]
    executed = {"index": 0, "type": "search", "arguments": '{"q": "x"}', "output": "found"}
    answering(completion(executed_tools=[executed])).chat(messages=history)
    asked, answered = input_of(telemetry)
    assert asked["parts"] == [
        {"type": "uri", "modality": "video", "mime_type": None, "uri": "https://example.org/a.mp4"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file_1", "name": "a.pdf"},
        parts[2],
        {"type": "novelty"},
        {"type": "text", "content": "plain"},
    ]
    assert answered["parts"] == [{"type": "tool_call_response", "id": "1", "response": "seen"}, SIZE]
    (message,) = output_of(telemetry)
    assert message["parts"][1]["type"] == "server_tool_call"
    assert message["parts"][1]["server_tool_call"]["output"] == "found"


def _tokens(telemetry: Any) -> list[tuple[Any, Any]]:
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    told = [tuple(span.attributes.get(name) for name in names) for span in telemetry.spans()]
    return [each for each in told if each != (None, None)]


QUEUED = response(status="queued", usage=None, background=True)


@pytest.mark.usefixtures("with_content")
def test_a_response_in_the_background_is_counted_when_its_end_comes(answering: Any, telemetry: Any) -> None:
    text = {"type": "output_text", "text": "hi", "annotations": []}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    before = telemetry.total("gen_ai.client.inference.usage.input_tokens")
    client = answering(QUEUED, response(status="in_progress", usage=None), response(item))
    made = client.respond(background=True)
    for _ in range(5):
        client.openai.responses.retrieve(made.id)
    assert _tokens(telemetry) == [(100, 50)]
    assert telemetry.total("gen_ai.client.inference.usage.input_tokens") == before + 100
    counting = telemetry.spans()[2].attributes
    assert counting["obs.usage.source"] == "fetched"
    assert counting["obs.cost.total"] > 0
    assert json.loads(counting["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "hi"}]


@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_stream_that_was_left_is_counted_when_its_end_comes(
    answering: Any, telemetry: Any, *, is_resumed: bool
) -> None:
    created = {"type": "response.created", "sequence_number": 0, "response": QUEUED}
    ended = [{"type": "response.completed", "sequence_number": 1, "response": response()}]
    client = answering([created, {"type": "response.in_progress"}], ended if is_resumed else response())
    with client.respond(background=True, stream=True) as stream:
        next(iter(stream))
    for _ in range(3):
        fetched = client.openai.responses.retrieve("r1", stream=is_resumed)
        assert not is_resumed or list(fetched)
    assert _tokens(telemetry) == [(100, 50)]


def test_what_was_counted_is_not_counted_again(answering: Any, telemetry: Any) -> None:
    client = answering(response(background=True))
    client.respond(background=True)
    client.openai.responses.retrieve("r1")
    assert _tokens(telemetry) == [(100, 50)]


def test_a_response_of_others_is_counted_if_nobody_can_have_done_it(answering: Any, telemetry: Any) -> None:
    for is_background, count in ((False, 0), (True, 1)):
        client = answering(response(background=is_background))
        client.openai.responses.retrieve("r1")
        client.openai.responses.retrieve("r1")
        assert len(_tokens(telemetry)) == count


def test_a_response_that_failed_in_the_background(answering: Any, telemetry: Any) -> None:
    client = answering(QUEUED, response(status="failed", error={"code": "server_error", "message": "x"}))
    client.respond(background=True)
    client.openai.responses.retrieve("r1")
    assert telemetry.spans()[1].status.status_code.name == "ERROR"
    assert telemetry.spans()[1].attributes["error.type"] == "server_error"


def test_few_ids_are_kept(answering: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_instrumentors.wire import uncounted

    kept: OrderedDict[Any, object] = OrderedDict()
    monkeypatch.setattr(uncounted, "_MOST", 3)
    monkeypatch.setattr(uncounted, "_waiting", kept)
    client = answering(*({**QUEUED, "id": f"r{number}"} for number in range(10)))
    for _ in range(10):
        client.respond(background=True)
    assert [response_id for _, _, response_id in kept] == ["r7", "r8", "r9"]
    assert len(telemetry.spans()) == 10


def test_compaction_of_a_conversation(answering: Any, telemetry: Any) -> None:
    compacted = {
        **response({"type": "compaction", "id": "c", "encrypted_content": "x"}),
        "object": "response.compaction",
    }
    answering(compacted).openai.responses.compact(model="gpt-5-mini", input="x")
    span = telemetry.span()
    assert span.name == "compact gpt-5-mini"
    assert span.attributes["gen_ai.response.finish_reasons"] == ("compaction",)
    assert _tokens(telemetry) == [(100, 50)]


def test_counting_uses_no_tokens(answering: Any, telemetry: Any) -> None:
    counted = {"object": "response.input_tokens", "input_tokens": 11}
    answering(counted).openai.responses.input_tokens.count(model="gpt-5-mini", input="x")
    assert telemetry.span().name == "count_tokens gpt-5-mini"
    assert _tokens(telemetry) == []


def test_a_batch_is_counted_when_it_is_over(answering: Any, telemetry: Any) -> None:
    batch = {"id": "b1", "object": "batch", "endpoint": "/v1/responses", "status": "in_progress", "model": "gpt-5-mini"}
    used = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    over = {**batch, "status": "completed", "usage": used}
    client = answering(batch, {**batch, "status": "finalizing"}, over)
    client.openai.batches.create(input_file_id="f", endpoint="/v1/responses", completion_window="24h")
    for _ in range(4):
        client.openai.batches.retrieve("b1")
    assert [span.name for span in telemetry.spans()] == ["create_batch", *["fetch_batch"] * 4]
    assert _tokens(telemetry) == [(1000, 100)]
    counting = telemetry.spans()[2].attributes
    assert counting["gen_ai.response.status"] == "completed"
    assert counting["obs.cost.total"] == pytest.approx((1000 * 0.25e-6 + 100 * 2e-6) / 2)


def test_a_batch_that_failed(answering: Any, telemetry: Any) -> None:
    errors = {"object": "list", "data": [{"code": "invalid_json_line", "message": "x", "line": 1}]}
    batch = {"id": "b2", "object": "batch", "endpoint": "/v1/responses", "status": "failed", "errors": errors}
    answering(batch).openai.batches.retrieve("b2")
    assert telemetry.attributes()["error.type"] == "invalid_json_line"


REASONED: dict[str, Any] = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Both."}]}
CALLS: list[dict[str, Any]] = [
    {"type": "function_call", "id": f"fc_{name}", "call_id": name, "name": name, "arguments": "{}"}
    for name in ("weather", "hotel")
]


@pytest.mark.usefixtures("with_content")
def test_an_answer_that_is_sent_back_is_the_one_message_that_it_was(answering: Any, telemetry: Any) -> None:
    said = {
        "type": "message",
        "id": "m1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
    }
    items = [REASONED, said, *CALLS]
    answering(response(*items)).respond()
    (answer,) = output_of(telemetry)
    telemetry.clear()
    outputs = [{"type": "function_call_output", "call_id": call["call_id"], "output": "ok"} for call in CALLS]
    answering(response()).respond(input=[{"role": "user", "content": "x"}, *items, *outputs])
    user, sent_back, *results = input_of(telemetry)
    assert sent_back["parts"] == answer["parts"]
    assert [message["role"] for message in (user, sent_back, *results)] == ["user", "assistant", "tool", "tool"]


@pytest.mark.usefixtures("with_content")
def test_messages_of_the_user_stay_those_that_the_agent_sends(answering: Any, telemetry: Any) -> None:
    answering(response()).respond(input=[{"role": "user", "content": text} for text in ("a", "b")])
    assert [len(message["parts"]) for message in input_of(telemetry)] == [1, 1]
