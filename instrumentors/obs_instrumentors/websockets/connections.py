"""What is known of a connection: where it goes, whether the other end reads what messages carry, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.core import hooks
from obs_run.core.caches import created_in
from obs_run.core.destination_templates import template_of
from obs_run.core.message_rates import ConnectionRates

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation

_LIBRARY = "websockets"
_SYSTEM = "websocket"
_SEPARATORS = "/."
_DEFAULT_PORTS = {"ws": 80, "wss": 443}


class Place(NamedTuple):
    """Where a client's connection goes, or, by its path alone, where one of a server's has come to."""

    path: str
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    transport: str = "tcp"

    def url(self) -> str:
        """Return the URL without credentials, and without the query, where there may be some too."""
        host = f"[{self.host}]" if self.host is not None and ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


class Connection(NamedTuple):
    """A connection that is recorded."""

    place: Place
    reads_carriers: bool
    """Whether the other end takes out of messages what they carry."""
    rated: Any
    """Whose messages are counted together: those of a client's connection, or of all of a server's."""


_known: WeakKeyDictionary[Any, Connection] = WeakKeyDictionary()


def place_of(uri: str, unix_path: str | None = None) -> Place:
    """Return where a client's connection goes."""
    parts = urlsplit(uri)
    path = parts.path or "/"
    if unix_path is not None:
        return Place(path, parts.scheme, unix_path, None, "unix")
    return Place(path, parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))


def note(connection: Any, place: Place, *, reads_carriers: bool, server: Any = None) -> None:
    """Note a connection that is open."""
    # What is kept with it must not keep it.
    _known[connection] = Connection(place, reads_carriers, server)


def find(connection: Any) -> Connection | None:
    """Return what is known of a connection; None where its messages are not to be recorded."""
    return _known.get(connection)


def is_opened_by_library() -> bool:
    """Whether it is another library that opens a connection now, of which its own instrumentor tells."""
    return _is_instrumented(created_in(_LIBRARY))


def is_of_library(connection: Any) -> bool:
    """Whether a server's connection is of a kind that another library made of this one's."""
    return _is_instrumented(type(connection).__module__)


def _is_instrumented(module: str | None) -> bool:
    root = (module or "").partition(".")[0]
    if not root or root == _LIBRARY:
        return False
    known = {name.partition(".")[0] for status in hooks.statuses() for name in status.instrumentor.modules()}
    return root in known


def describe(operation: MessageOperation, place: Place | None) -> None:
    """Fill in what holds of all messages of a connection."""
    operation.system = _SYSTEM
    if place is None:
        return
    operation.destination = place.path
    operation.destination_template = template_of(place.path, _SEPARATORS)
    operation.network_transport = place.transport
    if place.host is None:
        return
    operation.server_address, operation.server_port = place.host, place.port
    if place.port is not None:
        operation.peer_service = f"{place.host}:{place.port}"


def may_send(connection: Any) -> bool:
    """Whether one more message that is sent may have a span."""
    return _rates.has_room(_rated(connection))


def may_receive(connection: Any) -> bool:
    """Whether one more message that is received may have a span."""
    return _rates.has_room(_rated(connection), _LIBRARY)


def measure_rest(connection_or_server: Any) -> None:
    """Measure the messages that had no span, of a client's connection or a server that is closed."""
    _rates.measure_all(connection_or_server)


def _rated(connection: Any) -> Any:
    known = _known.get(connection)
    server = None if known is None else known.rated
    return connection if server is None else server


def _describe_rest(operation: MessageOperation, rated: Any, _: Any) -> None:
    known = _known.get(rated)
    describe(operation, None if known is None else known.place)


_rates = ConnectionRates(_describe_rest)
"""By a client's connection, or a server."""


def text_size(message: Any) -> int | None:
    """Return how many bytes a message has; None for one that is sent in parts."""
    if isinstance(message, str):
        return len(message.encode(errors="surrogatepass"))
    size = payload.get(message, "nbytes")
    return len(message) if isinstance(message, (bytes, bytearray)) else payload.as_int(size)
