"""What arrives and what is sent back, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .faults import Switches
    from .state import State

Json: TypeAlias = dict[str, Any]

CREATED = 1_760_000_000
"""Every answer carries this moment, so that tests can compare whole bodies."""


@dataclass
class Request:
    """One request, read to its end."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json
    switches: Switches
    state: State

    @property
    def azure(self) -> bool:
        """Whether the client talks to an Azure deployment."""
        return "/deployments/" in self.path

    @property
    def model(self) -> str:
        """The model's name without switches, or the Azure deployment's."""
        name = str(self.body.get("model") or "")
        if not name and self.azure:
            name = self.path.split("/deployments/", 1)[1].split("/", 1)[0]
        return name.split("+", 1)[0] or "stub"

    @property
    def answering_model(self) -> str:
        """The dated name that the real service answers with."""
        return SNAPSHOTS.get(self.model, self.model)


SNAPSHOTS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
}


@dataclass
class Reply:
    """A whole answer."""

    body: Json | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def payload(self) -> bytes:
        """Return the bytes to send."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Stream:
    """An answer sent event by event."""

    events: Iterable[bytes]
    delay: float = 0.0
    drop_after: int | None = None
    content_type: str = "text/event-stream; charset=utf-8"
    failing: bytes | None = None
    """The event by which this wire format tells an error amid a stream, where it is not OpenAI's."""


Errors: TypeAlias = "Callable[[int, str, str | None, str], Reply]"
"""Makes a failure's answer from status, message, code and kind."""


def error(status: int, message: str, code: str | None = None, kind: str = "invalid_request_error") -> Reply:
    """Return an answer in OpenAI's error shape."""
    return Reply({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def event(data: Json, name: str | None = None) -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def read_body(raw: bytes, content_type: str) -> Json:
    """Return a JSON or multipart body as a dictionary; a file becomes its name and size."""
    if content_type.startswith("multipart/"):
        return _fields(raw, content_type)
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        return {"_raw": raw.decode("latin-1")}
    return body if isinstance(body, dict) else {"_value": body}


def _fields(raw: bytes, content_type: str) -> Json:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    fields: Json = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        name = str(part.get_param("name", header="content-disposition"))
        filename = part.get_filename()
        fields[name] = {"filename": filename, "size": len(data)} if filename else data.decode()
    return fields
