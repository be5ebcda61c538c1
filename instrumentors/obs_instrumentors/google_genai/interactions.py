"""The interactions API: turns that Google keeps, made of steps; one call may be several requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.clients.stream_objects import stream_or_none
from obs_instrumentors.wire import uncounted
from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.openai.response_items import tool_definition
from obs_instrumentors.wire.token_counts import count_by_modality, sum_counts, sum_usages, usage_or_none
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import FetchedResponse, Inference, Usage
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
    function_calls: list[tuple[str | None, str]] = field(default_factory=list)
    """Ids and names."""
    usages: list[Usage] = field(default_factory=list)
    """One for each request that the turn takes."""

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        config = payload.get(body, "generation_config")
        self.temperature = payload.get_float(config, "temperature")
        self.top_p = payload.get_float(config, "top_p")
        self.seed = payload.get_int(config, "seed")
        self.max_tokens = payload.get_int(config, "max_output_tokens")
        self.stop_sequences = payload.get_list(config, "stop_sequences") or None
        self.reasoning_level = payload.get_text(config, "thinking_level")
        self.previous_response_id = payload.as_text(body.get("previous_interaction_id"))
        if body.get("response_format") is not None:
            self.output_type = "json"
        agent = payload.as_text(body.get("agent"))
        if agent is not None:
            self.extra[semconv.AGENT_ID] = agent
        if content.wanted():
            instructions = payload.as_text(body.get("system_instruction"))
            if instructions is not None:
                self.system_instructions = [messages.text(instructions)]
            self.input_messages = steps.input_messages(body.get("input"))
            self.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None


@dataclass
class FetchedTurn(speakeasy.SentOperation, FetchedResponse):
    """A turn that the agent asks for again."""

    def read_request(self, body: dict[str, Any]) -> None:
        """Read nothing: the request has no body."""


def start_create(call: Call) -> tuple[Operation, Reader]:
    """Return the operation that the creation of a turn means."""
    # Given as one request object or as arguments.
    request = payload.get(call.kwargs.get("request"), "body") or call.kwargs
    operation = Turn(provider=_provider(call), request_model=payload.get_text(request, "model"))
    if payload.get(request, "stream") is True:
        operation.stream = True
    operation.tool_results = steps.tool_results(payload.get(request, "input"))
    operation.offered_tools = (payload.get_text(tool, "name") for tool in payload.get_list(request, "tools"))
    return operation, _CREATE


def start_fetch(call: Call) -> tuple[Operation, Reader]:
    """Return the operation that the question for a turn means."""
    operation = FetchedTurn(provider=_provider(call), response_id=payload.as_text(call.argument(0, "id")))
    return operation, _FETCH


def _provider(call: Call) -> str:
    version = payload.get_text(call.instance, "sdk_configuration", "globals", "api_version") or ""
    # Vertex AI's resources are those of a project.
    return "gcp.vertex_ai" if "/projects/" in version else "gcp.gemini"


def _read_response(operation: Turn, interaction: Any) -> None:
    """Read an Interaction."""
    _read_header(operation, interaction)
    raw_steps = payload.get_list(interaction, "steps")
    for step in raw_steps:
        _note_function_call(operation, step)
    if content.wanted():
        operation.steps = [steps.parts(step) for step in raw_steps]
    _finish(operation)


def _read_event(operation: Turn, event: Any) -> None:
    """Read an event of an Interaction's stream."""
    kind = payload.get(event, "event_type")
    interaction = payload.get(event, "interaction")
    if interaction is not None:
        _read_header(operation, interaction)
    elif kind == "step.start":
        step = payload.get(event, "step")
        _note_function_call(operation, step)
        if content.wanted():
            operation.steps.append(content.copied(steps.parts(step)))
    elif kind == "step.delta" and content.wanted():
        if not operation.steps:
            operation.steps.append([])
        steps.add_delta(operation.steps[-1], payload.get(event, "delta"))
    elif kind == "error":
        operation.error_type = payload.get_text(event, "error", "code") or "_OTHER"


def _note_function_call(operation: Turn, step: Any) -> None:
    name = steps.function_name(step)
    if name is not None:
        operation.function_calls.append((steps.call_id(step), name))


def _read_header(operation: Turn, interaction: Any) -> None:
    operation.response_id = payload.get_text(interaction, "id") or operation.response_id
    operation.response_model = payload.get_text(interaction, "model") or operation.response_model
    operation.response_status = payload.get_text(interaction, "status") or operation.response_status
    request_usage = usage(payload.get(interaction, "usage"))
    if request_usage is not None:
        operation.usages.append(request_usage)


def _finish(operation: Turn) -> None:
    operation.tool_calls = [name for _, name in operation.function_calls] or None
    operation.tool_call_ids = [call_id for call_id, _ in operation.function_calls] or None
    operation.usage = sum_usages(operation.usages)
    uncounted.note_answer(operation, is_over=operation.response_status in _FINISH_REASONS)
    reason = _FINISH_REASONS.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]
    if reason == "error":
        operation.error_type = operation.error_type or "_OTHER"
    parts: list[Part] = []
    for step in operation.steps:
        parts += [steps.with_parsed_arguments(part) for part in step]
    operation.steps, operation.function_calls, operation.usages = [], [], []
    if parts and content.wanted():
        operation.output_messages = [output_message(operation, parts)]


def usage(raw: Any) -> Usage | None:
    """Return the tokens of a turn as the conventions count them."""
    if raw is None:
        return None
    inputs = _by_modality(raw, "input_tokens_by_modality", "tool_use_tokens_by_modality")
    outputs = _by_modality(raw, "output_tokens_by_modality")
    result = Usage(
        # What tools and thoughts take is counted beside, and is billed as input and output.
        input_tokens=_sum(raw, "total_input_tokens", "total_tool_use_tokens"),
        output_tokens=_sum(raw, "total_output_tokens", "total_thought_tokens"),
        cache_read_tokens=payload.get_int(raw, "total_cached_tokens"),
        reasoning_tokens=payload.get_int(raw, "total_thought_tokens"),
        text_input_tokens=inputs.get("text"),
        image_input_tokens=inputs.get("image"),
        audio_input_tokens=inputs.get("audio"),
        text_output_tokens=outputs.get("text"),
        image_output_tokens=outputs.get("image"),
        audio_output_tokens=outputs.get("audio"),
        audio_cache_read_tokens=_by_modality(raw, "cached_tokens_by_modality").get("audio"),
    )
    return usage_or_none(result)


def _sum(raw: Any, *names: str) -> int | None:
    return sum_counts(payload.get_int(raw, name) for name in names)


def _by_modality(raw: Any, *names: str) -> dict[str, int]:
    counts: list[tuple[str, int | None]] = []
    for name in names:
        details = payload.get_list(raw, name)
        counts += [(str(payload.get(each, "modality")), payload.get_int(each, "tokens")) for each in details]
    return count_by_modality(counts)


def _read_fetched(operation: FetchedTurn, returned: Any) -> None:
    """Read an Interaction, or an event that has one."""
    interaction = payload.coalesce(payload.get(returned, "interaction"), returned)
    operation.response_model = payload.get_text(interaction, "model") or operation.response_model
    operation.response_status = payload.get_text(interaction, "status") or operation.response_status
    reason = _FINISH_REASONS.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]
    if reason is None:
        return
    is_background = payload.get(interaction, "background") is True
    counted = usage(payload.get(interaction, "usage"))
    if uncounted.count_fetched(operation, counted, is_background=is_background) and content.wanted():
        parts: list[Part] = []
        for step in payload.get_list(interaction, "steps"):
            parts += steps.parts(step)
        operation.output_messages = [messages.message("assistant", *parts, finish_reason=reason)]


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read the client's error, whose body has the status that Google's APIs give it."""
    details = payload.get(error, "body", "error")
    operation.error_type = (
        payload.get_text(details, "status") or payload.get_text(details, "code") or operation.error_type
    )


_CREATE = Reader(_read_response, deferred=stream_or_none, chunk=_read_event, end=_finish, failure=_read_failure)
_FETCH = Reader(_read_fetched, deferred=stream_or_none, chunk=_read_fetched, failure=_read_failure)
