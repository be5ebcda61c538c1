"""What the library's events tell of calls of models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, ownership

from . import models, runs
from .recordings import Begun, end, enter, leave, ongoing, part_key

if TYPE_CHECKING:
    from obs_run.core.callback_runs import Run
    from obs_run.core.outcomes import Call


def note_event(call: Call) -> None:
    """Read an event of the library's."""
    event = call.argument(0, "event")
    read = _READERS.get(type(event).__name__)
    if read is not None:
        read(event, ongoing.get(payload.get_text(event, "span_id")))


def _start_model(event: Any, run: Run | None) -> None:
    if run is None or run.is_recorded:
        return
    operation = content.read("begin", models.inference, event, run.about.instance)
    if operation is not None:
        run.about.model = run.about.instance
        ongoing.record(run, operation)
        enter(run)


def _note_chunk(_event: Any, run: Run | None) -> None:
    if run is not None and run.is_recorded and run.recording.provider_call is None:
        run.recording.chunk()


def _end_model(event: Any, run: Run | None) -> None:
    if run is None or run.about.model is None or not run.is_recorded:
        return
    operation = run.recording.operation
    is_reported = run.recording.provider_call is not None
    content.read("result", partial(models.read_answer, operation, event, is_reported=is_reported))
    agent = ownership.agent_around(run.recording)
    if agent is not None:
        runs.note_answer(agent, operation)
    if run.about.stream is not None:
        end(run, None)


def _start_part(event: Any, run: Run | None) -> None:
    """Begin a model call that is a part of a span, in which there may be several, one after the other or at once."""
    if run is None:
        return
    key = part_key(run.about.key)
    part = ongoing.get(key)
    if part is not None:
        part.about.steps += 1
        return
    is_embedding = "Embedding" in type(event).__name__
    arguments = (event, run.about.instance) if is_embedding else (event,)
    operation = content.read("begin", models.embedding if is_embedding else models.rerank, *arguments)
    if operation is not None:
        begun = Begun(key, run.about.name, None)
        begun.model, begun.steps = run.about.instance, 1
        enter(ongoing.start(key, run.about.key, operation, begun))


def _end_part(event: Any, run: Run | None) -> None:
    part = None if run is None else ongoing.get(part_key(run.about.key))
    if part is None:
        return
    if part.is_recorded:
        read = models.read_vectors if "Embedding" in type(event).__name__ else models.read_ranking
        is_reported = part.recording.provider_call is not None
        content.read("result", partial(read, part.recording.operation, event, is_reported=is_reported))
    part.about.steps -= 1
    if not part.about.steps:
        leave(part)
        end(part, None)


def _note_cancelled(_event: Any, run: Run | None) -> None:
    if run is not None:
        run.about.is_cancelled = True


_READERS = {
    "LLMChatStartEvent": _start_model,
    "LLMCompletionStartEvent": _start_model,
    "LLMChatInProgressEvent": _note_chunk,
    "LLMCompletionInProgressEvent": _note_chunk,
    "LLMChatEndEvent": _end_model,
    "LLMCompletionEndEvent": _end_model,
    "EmbeddingStartEvent": _start_part,
    "EmbeddingEndEvent": _end_part,
    "SparseEmbeddingStartEvent": _start_part,
    "SparseEmbeddingEndEvent": _end_part,
    "ReRankStartEvent": _start_part,
    "ReRankEndEvent": _end_part,
    "SpanCancelledEvent": _note_cancelled,
}
"""By the names of the library's events."""
