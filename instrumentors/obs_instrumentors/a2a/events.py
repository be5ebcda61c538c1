"""What messages, tasks and their updates say, whichever side reads them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google.contents import modality
from obs_run.base import payload
from obs_run.core import content, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.messages import Message, Part

_ROLES = {1: "user", 2: "assistant"}
_FAILED = ("failed", "rejected")
_WAITING = ("input-required", "auth-required")
_OUTCOMES = {"canceled": "cancelled", **dict.fromkeys(_WAITING, "interrupted")}
"""What a task that goes no further means for who waits for it, where it has not failed."""
_OVER = ("completed", *_FAILED, *_OUTCOMES)
_UNSPECIFIED = "unspecified"


def note_ids(operation: Any, told: Any) -> None:
    """Take the ids of a task and its context from what is sent or comes back."""
    operation.task_id = payload.get_text(told, "task_id") or operation.task_id
    operation.conversation_id = payload.get_text(told, "context_id") or operation.conversation_id


def note_task(operation: Any, task: Any) -> None:
    """Take of a task what it is called and how far it has come."""
    note_ids(operation, task)
    operation.task_id = payload.get_text(task, "id") or operation.task_id
    operation.task_state = state_of(payload.get(task, "status")) or operation.task_state


def note_card(operation: Any, card: Any) -> None:
    """Take of an agent's card who it is."""
    operation.agent_name = payload.get_text(card, "name")
    operation.agent_version = payload.get_text(card, "version")
    operation.agent_description = payload.get_text(card, "description")


def task_asked_for(request: Any) -> str | None:
    """Return the id of the task that a request is about."""
    task_id = payload.get_text(request, "task_id")
    # What has both is about another thing of the task.
    has_both = hasattr(request, "task_id")
    return task_id if has_both else payload.get_text(request, "id")


def read_answer(operation: Any, answer: Any) -> None:
    """Read what a request gave that is about a task or a card."""
    kind = kind_of(answer)
    if kind == "Task":
        note_task(operation, answer)
    elif kind == "AgentCard":
        note_card(operation, answer)


def kind_of(event: Any) -> str | None:
    """Return the name of a message of protobuf's."""
    return payload.get_text(event, "DESCRIPTOR", "name")


def state_of(status: Any) -> str | None:
    """Return the state of a task as the protocol's texts have it."""
    number = payload.get_int(status, "state")
    if number is None:
        return None
    states = status.DESCRIPTOR.fields_by_name["state"].enum_type
    known = states.values_by_number.get(number)
    state = "" if known is None else known.name.rpartition("STATE_")[2].lower().replace("_", "-")
    return state if state not in ("", _UNSPECIFIED) else None


def is_waiting(status: Any) -> bool:
    """Whether a task waits for its client's next message."""
    return state_of(status) in _WAITING


def message_of(said: Any) -> Message:
    """Return a message as the conventions have it."""
    role = _ROLES.get(said.role, "user")
    return messages.message(role, *parts_of(said.parts))


def parts_of(parts: Iterable[Any]) -> list[Part]:
    """Return the parts of a message or an artifact as the conventions have them."""
    return [part for raw in parts if (part := _part(raw)) is not None]


def _part(raw: Any) -> Part | None:
    kind = raw.WhichOneof("content")
    mime_type = raw.media_type or None
    if kind == "text":
        return messages.text(raw.text)
    if kind == "url":
        return messages.uri(modality(mime_type), raw.url, mime_type)
    if kind == "raw":
        return messages.blob(modality(mime_type), mime_type, b64encode(raw.raw).decode())
    if kind == "data":
        return messages.text(content.to_json(_plain(raw.data)))
    return None


def _plain(value: Any) -> Any:
    """Return a ``Value`` of protobuf's as JSON has it."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: _plain(each) for name, each in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "number_value" and value.number_value.is_integer():
        return int(value.number_value)
    return None if kind in (None, "null_value") else getattr(value, kind)


class Answer:
    """What comes of a message, event by event."""

    def __init__(self, *, keeps_texts: bool = True) -> None:
        self._keeps_texts = keeps_texts
        self._artifacts: dict[str, Message] = {}
        self._said: set[str] = set()
        self._newest: Any = None

    def read(self, operation: Any, event: Any) -> None:
        """Read an event: a message, a task, or what has changed in it."""
        if event is self._newest:
            # A queue hands it on to another.
            return
        self._newest = event
        kind = kind_of(event)
        if kind == "StreamResponse":
            event = getattr(event, event.WhichOneof("payload") or "", None)
            kind = kind_of(event)
        if kind == "Message":
            note_ids(operation, event)
            operation.has_result = True
            self._note_message(operation, event)
        elif kind == "Task":
            note_task(operation, event)
            self._note_status(operation, event.status)
            for artifact in event.artifacts:
                self._note_artifact(operation, artifact, appends=False)
        elif kind == "TaskStatusUpdateEvent":
            note_task(operation, event)
            self._note_status(operation, event.status)
        elif kind == "TaskArtifactUpdateEvent":
            note_ids(operation, event)
            self._note_artifact(operation, event.artifact, appends=event.append)

    def _note_status(self, operation: Any, status: Any) -> None:
        state = state_of(status)
        if status.HasField("message"):
            self._note_message(operation, status.message)
        if state not in _OVER:
            return
        operation.has_result = True
        operation.outcome = _OUTCOMES.get(state)
        if state in _FAILED:
            operation.error_type = state
            if content.wanted() and status.HasField("message"):
                operation.error_message = "\n".join(part.text for part in status.message.parts if part.text) or None

    def _note_message(self, operation: Any, said: Any) -> None:
        if not self._wants_texts() or said.message_id in self._said:
            return
        if said.message_id:
            self._said.add(said.message_id)
        _add(operation, {**message_of(said), "role": "assistant"})

    def _note_artifact(self, operation: Any, artifact: Any, *, appends: bool) -> None:
        if not self._wants_texts():
            return
        parts = parts_of(artifact.parts)
        known = self._artifacts.get(artifact.artifact_id)
        if known is None:
            self._artifacts[artifact.artifact_id] = _add(operation, messages.message("assistant", *parts))
        elif appends:
            known["parts"] += parts
        else:
            known["parts"] = parts

    def _wants_texts(self) -> bool:
        return self._keeps_texts and content.wanted()

    def end(self, operation: Any, _: Any = None) -> None:
        """Put the pieces of texts together."""
        for each in operation.output_messages or ():
            each["parts"] = _joined(each["parts"])


def _add(operation: Any, message: Message) -> Message:
    message["finish_reason"] = "stop"
    operation.output_messages = [*(operation.output_messages or ()), message]
    return message


def _joined(parts: list[Part]) -> list[Part]:
    joined: list[Part] = []
    texts: list[str] = []
    for part in [*parts, None]:
        if part is not None and part["type"] == "text":
            texts.append(part["content"])
            continue
        if texts:
            joined.append(messages.text("".join(texts)))
            texts = []
        if part is not None:
            joined.append(part)
    return joined
