"""What the library tags its spans with, read into what is recorded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, ownership
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.native_spans import has_global_provider
from obs_run.core.operations import Retrieval, ToolCall

from . import models
from .contents import document_of

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_INPUTS = ("haystack.component.input", "haystack.agent.step.llm.input")
_OUTPUTS = ("haystack.component.output", "haystack.agent.step.llm.output")
_TOOL_OUTPUT = "haystack.agent.step.tool.output"
_TOOL_FAILURE = "ToolInvocationError"


def note(call: Call) -> None:
    """Read the call of ``set_content_tag``, which is made whether or not the library's own tracing is on."""
    recording = ownership.current_recording()
    name, value = call.argument(0, "key"), call.argument(1, "value")
    if recording is None:
        return
    if name == _TOOL_OUTPUT:
        _read_tool(recording, value)
    elif name in _INPUTS:
        content.read("callback", _read_inputs, recording.operation, value)
    elif name in _OUTPUTS:
        content.read("callback", _read_outputs, recording.operation, value)


def _read_inputs(operation: Any, inputs: Any) -> None:
    if isinstance(operation, FrameworkInference):
        models.read_request(operation, inputs)
    elif isinstance(operation, Retrieval):
        operation.top_k = payload.coalesce(payload.get_int(inputs, "top_k"), operation.top_k)
        if content.wanted():
            operation.query_text = payload.get_text(inputs, "query")


def _read_outputs(operation: Any, outputs: Any) -> None:
    if not isinstance(operation, Retrieval):
        models.read_answer(operation, outputs)
        return
    found = payload.get_list(outputs, "documents")
    scores = [payload.get_float(each, "score") for each in found]
    operation.returned = len(found)
    operation.scores = [score for score in scores if score is not None] or None
    if content.wanted():
        operation.documents = [document_of(each) for each in found]


def _read_tool(recording: Any, result: Any) -> None:
    operation = recording.operation
    if not isinstance(operation, ToolCall):
        return
    error = sys.exc_info()[1]
    if type(error).__name__ == _TOOL_FAILURE and payload.get(result, "error") == str(error):
        # It is not raised where the span would see it.
        recording.end(error.__cause__ or error)  # type: ignore[union-attr]
    elif content.wanted():
        operation.result = result


def stands_back(call: Call) -> Any:
    """Give a block without a span in the place of one of the official tracer's, which would be beside ours."""
    tracer = payload.get(call.instance, "actual_tracer")
    if type(tracer).__name__ != "OpenTelemetryTracer" or not has_global_provider(payload.get(tracer, "_tracer")):
        return None
    return _without_span()


def _without_span() -> Any:
    from contextlib import nullcontext
    from importlib import import_module

    return nullcontext(import_module("haystack.tracing.tracer").NullSpan())
