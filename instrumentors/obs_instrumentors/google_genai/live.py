"""Sessions of the Live API: each turn of the model is one operation, until it is complete or asks for a function."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_instrumentors.wire.token_counts import merge_usage
from obs_instrumentors.wire.websocket_address import host_and_port, is_closed, uri_of
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content, messages, sessions
from obs_run.core.hooks import Target
from obs_run.core.sessions import Messages

from . import answers
from .answers import Answer, Candidate
from .contents import add_part, finish_reason, get, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call
    from obs_run.core.sessions import Session

_MODULE = "google.genai.live"
_DEEPEST = 8
_MOST_CONTENTS = 256
_CONTENT_FIELDS = ("parts", "role")


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


def _open(connection: Any) -> State:
    """Return what is known of a session, as its client makes it."""
    setup = payload.as_dict(get(from_json(_request()), "setup"))
    uses_vertex = payload.get(connection, "_api_client", "vertexai")
    host, port = host_and_port(uri_of(payload.get(connection, "_ws")))
    return State(setup, "gcp.vertex_ai" if uses_vertex else "gcp.gemini", host, port)


def _request() -> Any:
    """Return the first message as it went out: only the function that makes the session has it."""
    frame = sys._getframe(1)  # noqa: SLF001 (there is no public name)
    for _ in range(_DEEPEST):
        if frame.f_back is None:
            return None
        frame = frame.f_back
        if frame.f_code.co_name == "connect" and frame.f_globals.get("__name__") == _MODULE:
            return frame.f_locals.get("request")
    return None


def _start(session: Session) -> Turn:
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


def _current(session: Session) -> Turn | None:
    turns = session.operations()
    return turns[0] if turns else None


def _end_answered(session: Session) -> None:
    """End a turn whose last message did not come, because the agent goes on."""
    for turn in session.operations():
        if turn.is_answered():
            session.end(turn)


def _add_contents(session: Session, value: Any) -> None:
    """Keep what the agent sends, as part of a turn that has not begun to be answered, or for the next one."""
    if not content.wanted():
        return
    turn = _current(session)
    is_early = turn is not None and not turn.has_begun
    contents = turn.contents if turn is not None and is_early else session.state.contents
    contents += _as_contents(value)
    del contents[:-_MOST_CONTENTS]


def _as_contents(value: Any) -> list[Any]:
    """Return contents as dicts that nobody else holds; a text or part alone is the user's."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        contents: list[Any] = []
        for each in value:
            contents += _as_contents(each)
        return contents
    if isinstance(value, str):
        return [{"role": "user", "parts": [{"text": value}]}]
    fields = content.copied(plain(value))
    if any(get(fields, name) is not None for name in _CONTENT_FIELDS):
        return [fields]
    return [{"role": "user", "parts": [fields]}]


def _sent_content(session: Session, call: Call) -> None:
    """Read ``send_client_content``, whose turn is complete unless it says otherwise."""
    _end_answered(session)
    _add_contents(session, call.kwargs.get("turns"))
    if call.kwargs.get("turn_complete", True):
        _ask(session)


def _ask(session: Session) -> None:
    turn = _current(session)
    if turn is None or turn.has_begun:
        _start(session)


def _sent_realtime_input(session: Session, call: Call) -> None:
    """Read ``send_realtime_input``: a text asks for an answer, as does the end of what the user does."""
    text = call.kwargs.get("text")
    if text is None and call.kwargs.get("activity_end") is None:
        return
    _end_answered(session)
    _add_contents(session, text)
    _ask(session)


def _sent_tool_response(session: Session, call: Call) -> None:
    """Read ``send_tool_response``, after which the model goes on."""
    _read_tool_responses(session, call.kwargs.get("function_responses"))


def _read_tool_responses(session: Session, responses: Any) -> None:
    for turn in session.operations():
        if turn.candidates.get(0) is not None and turn.candidates[0].tool_calls:
            session.end(turn)
    if content.wanted():
        each = responses if isinstance(responses, (list, tuple)) else [responses]
        parts = [{"functionResponse": content.copied(plain(response))} for response in each]
        session.state.contents.append({"role": "user", "parts": parts})
    _ask(session)


def _sent_anything(session: Session, call: Call) -> None:
    """Read ``send``, the older method for all of these."""
    value = call.kwargs.get("input")
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    fields = payload.as_dict(first)
    if get(fields, "functionResponses") is not None:
        _read_tool_responses(session, get(fields, "functionResponses"))
    elif get(fields, "name") is not None and get(fields, "response") is not None:
        _read_tool_responses(session, value)
    elif get(fields, "turns") is not None or get(fields, "turnComplete") is not None:
        _end_answered(session)
        _add_contents(session, get(fields, "turns"))
        if get(fields, "turnComplete"):
            _ask(session)
    elif get(fields, "data") is None and get(fields, "mediaChunks") is None:
        _end_answered(session)
        _add_contents(session, value)
        if call.kwargs.get("end_of_turn"):
            _ask(session)


def _received(session: Session, server_message: Any) -> None:
    """Read a LiveServerMessage."""
    answer = payload.get(server_message, "server_content")
    tool_call = payload.get(server_message, "tool_call")
    heard = payload.get_text(answer, "input_transcription", "text")
    turn = _current(session)
    if heard is not None and content.wanted():
        (session.state.heard if turn is None else turn.heard).append(heard)
    if turn is None and (tool_call is not None or _says_anything(answer)):
        turn = _start(session)
    if turn is None:
        return
    if answer is not None:
        _read_answer(session, turn, answer)
    if tool_call is not None:
        _read_tool_call(turn, tool_call)
    _read_usage(turn, payload.get(server_message, "usage_metadata"))
    if payload.get(answer, "turn_complete") or _waits_for_tools(turn):
        session.end(turn)


def _says_anything(answer: Any) -> bool:
    return payload.get(answer, "model_turn") is not None or payload.get(answer, "output_transcription") is not None


def _waits_for_tools(turn: Turn) -> bool:
    """Whether the model has asked for functions and told what that took: it goes on when it has their answers."""
    candidate = turn.candidates.get(0)
    return candidate is not None and bool(candidate.tool_calls) and turn.usage is not None


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


def _finish(turn: Turn) -> None:
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


def _is_lost(error: BaseException) -> bool:
    """Whether the connection was closed, which newer releases say with an error of their own."""
    return is_closed(error) or type(error).__name__ in ("APIError", "ClientError", "ServerError")


def _target(method: str, sent: Callable[[Session, Call], None]) -> Target:
    return Target(_MODULE, f"AsyncSession.{method}", sessions.wrap_async_send(_messages(sent)), optional=True)


def _messages(sent: Callable[[Session, Call], None]) -> Messages:
    return Messages(_open, sent, _received, _finish, _is_lost)


_RECEIVING = _messages(_sent_anything)
TARGETS = (
    Target(_MODULE, "AsyncSession.__init__", sessions.wrap_open(_RECEIVING)),
    Target(_MODULE, "AsyncSession._receive", sessions.wrap_async_receive(_RECEIVING)),
    Target(_MODULE, "AsyncSession.close", sessions.wrap_close()),
    _target("send", _sent_anything),
    _target("send_client_content", _sent_content),
    _target("send_realtime_input", _sent_realtime_input),
    _target("send_tool_response", _sent_tool_response),
)
