"""A turn of the model in a session of the Live API, from what the server says until it is complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google import answers
from obs_instrumentors.wire.google.answers import Answer, Candidate
from obs_instrumentors.wire.google.contents import add_part, finish_reason, get, message
from obs_instrumentors.wire.plain import plain
from obs_instrumentors.wire.token_counts import merge_usage
from obs_run.base import payload
from obs_run.core import content, messages

if TYPE_CHECKING:
    from obs_run.core.sessions import Session


@dataclass
class State:
    """What is known of a session from message to message."""

    setup: dict[str, Any]
    """The first message, which says what the session is to be."""
    provider: str
    server_address: str | None
    server_port: int | None
    contents: list[Any] = field(default_factory=list)
    """What the agent sent since the last turn; kept while content is wanted."""
    heard: list[str] = field(default_factory=list)
    """Pieces of what was understood of the audio that it sent."""


@dataclass
class Turn(Answer):
    """A turn of the model, and what has come in of it so far."""

    contents: list[Any] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    has_begun: bool = False

    def is_answered(self) -> bool:
        """Whether the model has said all, though its last message may be to come."""
        candidate = self.candidates.get(0)
        return bool(self.finish_reasons) or (candidate is not None and candidate.finish_reason is not None)

    def asks_for_tools(self) -> bool:
        """Whether the model has asked for functions."""
        candidate = self.candidates.get(0)
        return candidate is not None and bool(candidate.tool_calls)


def start(session: Session) -> Turn:
    """Begin a turn, which is asked with what the agent sent since the one before."""
    state: State = session.state
    turn = Turn("generate_content", provider=state.provider, stream=True)
    turn.server_address, turn.server_port = state.server_address, state.server_port
    model = payload.as_text(get(state.setup, "model")) or ""
    # In a project's own path, or with the kind of resource alone.
    turn.request_model = payload.as_text(model.rpartition("/")[2])
    answers.read_request(turn, state.setup)
    # They are read at the end: what was heard is told amid the answer.
    turn.input_messages = None
    turn.contents, state.contents = state.contents, []
    turn.heard, state.heard = state.heard, []
    session.start(turn)
    return turn


def current(session: Session) -> Turn | None:
    """Return the turn that goes on."""
    turns = session.operations()
    return turns[0] if turns else None


def received(session: Session, server_message: Any) -> None:
    """Read a LiveServerMessage."""
    answer = payload.get(server_message, "server_content")
    tool_call = payload.get(server_message, "tool_call")
    heard = payload.get_text(answer, "input_transcription", "text")
    turn = current(session)
    if heard is not None and content.wanted():
        (session.state.heard if turn is None else turn.heard).append(heard)
    if turn is None and (tool_call is not None or _says_anything(answer)):
        turn = start(session)
    if turn is None:
        return
    if answer is not None:
        _read_answer(session, turn, answer)
    if tool_call is not None:
        _read_tool_call(turn, tool_call)
    used = payload.get(server_message, "usage_metadata")
    _read_usage(turn, used)
    # It goes on when it has the functions' answers.
    waits_for_tools = turn.asks_for_tools() and used is not None
    if payload.get(answer, "turn_complete") or waits_for_tools:
        session.end(turn)


def _says_anything(answer: Any) -> bool:
    return payload.get(answer, "model_turn") is not None or payload.get(answer, "output_transcription") is not None


def _read_answer(session: Session, turn: Turn, answer: Any) -> None:
    candidate = turn.candidates.setdefault(0, Candidate())
    if _says_anything(answer):
        turn.has_begun = True
        session.chunk(turn)
    if content.wanted():
        for part in payload.get_list(answer, "model_turn", "parts"):
            # Audio is what most messages bring.
            if payload.get(part, "inline_data") is None:
                add_part(candidate.parts, plain(part))
        spoken = payload.get_text(answer, "output_transcription", "text")
        if spoken is not None:
            turn.spoken.append(spoken)
    for query in payload.get_list(answer, "grounding_metadata", "web_search_queries"):
        if query not in candidate.search_queries:
            candidate.search_queries.append(query)
    reason = _reason(answer)
    if reason is not None and candidate.finish_reason in (None, "stop"):
        candidate.finish_reason = reason


def _reason(answer: Any) -> str | None:
    if payload.get(answer, "interrupted"):
        return "cancelled"
    told = payload.get(answer, "turn_complete_reason")
    reason = payload.as_text(payload.coalesce(payload.get(told, "value"), told))
    if reason is not None and not reason.endswith("UNSPECIFIED"):
        return finish_reason(reason)
    is_complete = payload.get(answer, "turn_complete") or payload.get(answer, "generation_complete")
    return "stop" if is_complete else None


def _read_tool_call(turn: Turn, tool_call: Any) -> None:
    turn.has_begun = True
    candidate = turn.candidates.setdefault(0, Candidate())
    for call in payload.get_list(tool_call, "function_calls"):
        name = payload.get_text(call, "name")
        if name is not None:
            candidate.tool_calls.append(name)
        if content.wanted():
            add_part(candidate.parts, {"functionCall": content.copied(plain(call))})
    candidate.finish_reason = "stop"


def _read_usage(turn: Turn, metadata: Any) -> None:
    if metadata is None:
        return
    fields = payload.as_dict(plain(metadata))
    # The names of the API for whole answers.
    counts = {
        **fields,
        "candidatesTokenCount": fields.get("response_token_count"),
        "candidatesTokensDetails": [_by_name(each) for each in fields.get("response_tokens_details") or ()],
        "promptTokensDetails": [_by_name(each) for each in fields.get("prompt_tokens_details") or ()],
        "cacheTokensDetails": [_by_name(each) for each in fields.get("cache_tokens_details") or ()],
        "toolUsePromptTokensDetails": [_by_name(each) for each in fields.get("tool_use_prompt_tokens_details") or ()],
    }
    turn.usage = merge_usage(turn.usage, answers.usage({"usageMetadata": counts}))


def _by_name(count: dict[str, Any]) -> dict[str, Any]:
    """Return a count with the name of its modality, which is a member of an enumeration of texts."""
    modality = count.get("modality")
    return {**count, "modality": payload.as_text(payload.coalesce(payload.get(modality, "value"), modality))}


def finish(turn: Turn) -> None:
    """Complete a turn from what came in of it."""
    candidate = turn.candidates.get(0)
    if content.wanted():
        inputs = [message(raw) for raw in turn.contents]
        if turn.heard:
            inputs.append(messages.message("user", messages.text("".join(turn.heard))))
        turn.input_messages = inputs or None
        if candidate is not None and turn.spoken:
            candidate.parts.insert(0, messages.text("".join(turn.spoken)))
    answers.finish(turn)
