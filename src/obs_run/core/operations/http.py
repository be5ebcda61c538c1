"""Requests that reach a server of the agent's, and those that it sends to begin a connection."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute, attribute_metadata
from .operation import Operation

_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)  # those that the conventions know
_OTHER = "_OTHER"
_FIRST_ERROR = 500
_FIRST_REFUSAL = 400


@sparse_dataclass
class HttpServerRequest(Operation):
    """A request from its receiving until it is answered; ``name`` is its method."""

    name: str = field(metadata=attribute_metadata(semconv.HTTP_REQUEST_METHOD))
    method_original: str | None = attribute(semconv.HTTP_REQUEST_METHOD_ORIGINAL)
    """The method where it is none of those that the conventions know."""
    route: str | None = attribute(semconv.HTTP_ROUTE)
    """The path without its varying parts, as the framework tells it."""
    path: str | None = attribute(semconv.URL_PATH)
    query: str | None = attribute(semconv.URL_QUERY)
    scheme: str | None = attribute(semconv.URL_SCHEME)
    status_code: int | None = attribute(semconv.HTTP_RESPONSE_STATUS_CODE)
    protocol_version: str | None = attribute(semconv.NETWORK_PROTOCOL_VERSION)
    client_address: str | None = attribute(semconv.CLIENT_ADDRESS)
    user_agent: str | None = attribute(semconv.USER_AGENT_ORIGINAL)

    KIND: ClassVar[str] = "SERVER"

    def __post_init__(self) -> None:
        """Keep the method from having as many values as callers make up."""
        if self.name not in _METHODS:
            self.method_original, self.name = self.name, _OTHER

    def span_name(self) -> str:
        """Return method and route; never the path, of which there may be as many as there are requests."""
        method = "HTTP" if self.name == _OTHER else self.name
        return f"{method} {self.route}" if self.route else method

    def note_status(self, status_code: int) -> None:
        """Note how it is answered."""
        self.status_code = status_code
        if status_code >= _FIRST_ERROR:
            self.error_type = str(status_code)


@sparse_dataclass
class HttpClientRequest(Operation):
    """A request from its sending until the head of its answer has come; ``name`` is its method."""

    name: str = field(metadata=attribute_metadata(semconv.HTTP_REQUEST_METHOD))
    url: str | None = attribute(semconv.URL_FULL)
    """Without credentials."""
    scheme: str | None = attribute(semconv.URL_SCHEME)
    status_code: int | None = attribute(semconv.HTTP_RESPONSE_STATUS_CODE)
    protocol_version: str | None = attribute(semconv.NETWORK_PROTOCOL_VERSION)

    def note_status(self, status_code: int) -> None:
        """Note how it is answered."""
        self.status_code = status_code
        if status_code >= _FIRST_REFUSAL:
            self.error_type = str(status_code)
