"""The interactions API: turns that Google keeps, made of steps; one call may be several requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire.openai.response_items import tool_definition
from obs_instrumentors.wire.openai.responses import FetchedResponse
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference, Usage
from obs_run.core.outcomes import Reader

from . import steps

if TYPE_CHECKING:
    from obs_run.core.messages import Part
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_FINISH_REASONS = {
    "completed": "stop",
    "requires_action": "tool_call",
    "incomplete": "length",
    "budget_exceeded": "length",
    "failed": "error",
    "cancelled": "cancelled",
}


@dataclass
class Turn(speakeasy.SentOperation, Inference):
    """One turn; while it streams, what has come in so far."""

    name: str = "generate_content"
    steps: list[list[Part]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        wishes = payload.get(body, "generation_config")
        self.temperature = payload.get_float(wishes, "temperature")
        self.top_p = payload.get_float(wishes, "top_p")
        self.seed = payload.get_int(wishes, "seed")
        self.max_tokens = payload.get_int(wishes, "max_output_tokens")
        self.stop_sequences = payload.get_list(wishes, "stop_sequences") or None
        self.reasoning_level = payload.get_text(wishes, "thinking_level")
        self.previous_response_id = payload.as_text(body.get("previous_interaction_id"))
        self.output_type = "json" if body.get("response_format") is not None else None
        agent = payload.as_text(body.get("agent"))
        if agent is not None:
            self.extra[semconv.AGENT_ID] = agent
        if content.wanted():
            told = payload.as_text(body.get("system_instruction"))
            self.system_instructions = None if told is None else [messages.text(told)]
            self.input_messages = steps.input_messages(body.get("input"))
            self.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None


@dataclass
class Fetched(speakeasy.SentOperation, FetchedResponse):
    """A turn that the agent asks for again."""

    def read_request(self, body: dict[str, Any]) -> None:
        """Read nothing: the request has no body."""


def begin(call: Call) -> tuple[Operation, Reader]:
    """Return the operation that the creation of a turn means."""
    given = payload.get(call.kwargs.get("request"), "body") or call.kwargs
    operation = Turn(
        provider=_provider(call),
        request_model=payload.get_text(given, "model"),
        stream=True if payload.get(given, "stream") is True else None,
    )
    return operation, _CREATE


def begin_fetch(call: Call) -> tuple[Operation, Reader]:
    """Return the operation that the question for a turn means."""
    return Fetched(provider=_provider(call), response_id=payload.as_text(call.argument(0, "id"))), _FETCH


def _provider(call: Call) -> str:
    version = payload.get_text(call.instance, "sdk_configuration", "globals", "api_version") or ""
    return "gcp.vertex_ai" if "/projects/" in version else "gcp.gemini"


def _result(operation: Turn, interaction: Any) -> None:
    _header(operation, interaction)
    made = payload.get_list(interaction, "steps")
    operation.calls = [name for each in made if (name := steps.called(each)) is not None]
    if content.wanted():
        operation.steps = [steps.parts(each) for each in made]
    _end(operation)


def _event(operation: Turn, event: Any) -> None:
    kind = payload.get(event, "event_type")
    told = payload.get(event, "interaction")
    if told is not None:
        _header(operation, told)
    elif kind == "step.start":
        name = steps.called(payload.get(event, "step"))
        operation.calls += [] if name is None else [name]
        if content.wanted():
            operation.steps.append(steps.parts(payload.get(event, "step")))
    elif kind == "step.delta" and content.wanted():
        if not operation.steps:
            operation.steps.append([])
        steps.add(operation.steps[-1], payload.get(event, "delta"))
    elif kind == "error":
        operation.error_type = payload.get_text(event, "error", "code") or "_OTHER"


def _header(operation: Turn, told: Any) -> None:
    operation.response_id = payload.get_text(told, "id") or operation.response_id
    operation.response_model = payload.get_text(told, "model") or operation.response_model
    operation.response_status = payload.get_text(told, "status") or operation.response_status
    counted = usage(payload.get(told, "usage"))
    if counted is not None:
        operation.usages.append(counted)


def _end(operation: Turn) -> None:
    operation.tool_calls = operation.calls or None
    operation.usage = _sum(operation.usages)
    reason = _FINISH_REASONS.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]
    if reason == "error":
        operation.error_type = operation.error_type or "_OTHER"
    parts = [steps.whole(part) for step in operation.steps for part in step]
    operation.steps, operation.calls, operation.usages = [], [], []
    if parts and content.wanted():
        operation.output_messages = [messages.message("assistant", *parts, finish_reason=reason)]


def usage(told: Any) -> Usage | None:
    """Return the tokens of a turn as the conventions count them."""
    if told is None:
        return None
    inputs = _by_modality(told, "input_tokens_by_modality", "tool_use_tokens_by_modality")
    outputs = _by_modality(told, "output_tokens_by_modality")
    read = Usage(
        input_tokens=_added(told, "total_input_tokens", "total_tool_use_tokens"),
        output_tokens=_added(told, "total_output_tokens", "total_thought_tokens"),
        cache_read_tokens=payload.get_int(told, "total_cached_tokens"),
        reasoning_tokens=payload.get_int(told, "total_thought_tokens"),
        text_input_tokens=inputs.get("text"),
        image_input_tokens=inputs.get("image"),
        audio_input_tokens=inputs.get("audio"),
        text_output_tokens=outputs.get("text"),
        image_output_tokens=outputs.get("image"),
        audio_output_tokens=outputs.get("audio"),
        audio_cache_read_tokens=_by_modality(told, "cached_tokens_by_modality").get("audio"),
    )
    return None if read == Usage() else read


def _added(told: Any, *names: str) -> int | None:
    known = [number for name in names if (number := payload.get_int(told, name)) is not None]
    return sum(known) if known else None


def _by_modality(told: Any, *names: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in (each for name in names for each in payload.get_list(told, name)):
        number = payload.get_int(each, "tokens")
        if number is not None:
            kind = str(payload.get(each, "modality"))
            found[kind] = found.get(kind, 0) + number
    return found


def _sum(usages: list[Usage]) -> Usage | None:
    """Return the tokens of all the requests of a turn."""
    if not usages:
        return None
    counts = {name: [vars(each)[name] for each in usages if vars(each)[name] is not None] for name in vars(usages[0])}
    return Usage(**{name: sum(known) if known else None for name, known in counts.items()})


def _fetched(operation: Fetched, interaction: Any) -> None:
    told = payload.coalesce(payload.get(interaction, "interaction"), interaction)
    operation.response_model = payload.get_text(told, "model") or operation.response_model
    operation.response_status = payload.get_text(told, "status") or operation.response_status
    reason = _FINISH_REASONS.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]


def _failure(operation: Operation, error: BaseException) -> None:
    told = payload.get(payload.get(error, "body"), "error")
    operation.error_type = payload.get_text(told, "status") or payload.get_text(told, "code") or operation.error_type


_CREATE = Reader(_result, later=speakeasy.stream_or_none, chunk=_event, end=_end, failure=_failure)
_FETCH = Reader(_fetched, later=speakeasy.stream_or_none, chunk=_fetched, failure=_failure)
