"""The Prometheus endpoint: ``prometheus_client``'s page, served behind TLS and authentication, at home in forks.

``prometheus_client.start_http_server`` is not used for the serving: given one of certificate and key it answers without
TLS, a client that connects and says nothing to its TLS stops it for all, an encrypted key asks at the terminal, and
what breaks a connection is printed.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from contextvars import Context
from http import HTTPStatus
from http.server import HTTPServer
from typing import TYPE_CHECKING, Any

from prometheus_client import MetricsHandler

from obs_run import settings
from obs_run.base import guard
from obs_run.files.secret_file import SecretFileError
from obs_run.process import fork
from obs_run.prometheus import access as endpoint_access

if TYPE_CHECKING:
    from ssl import SSLSocket

_HOST, _PORT = "OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"
_PATIENCE = 10.0  # seconds that one who asks may keep silent
_MOST_AT_ONCE = 16
_FORK_PATIENCE = 0.5


class _State:
    """Whether a scrape is going on."""

    def __init__(self) -> None:
        # Two scrapes at a time mix up what the reader has collected (opentelemetry-exporter-prometheus 0.66b2).
        self.scraping = threading.RLock()
        self.is_held = False


_state = _State()
_endpoints: list[Endpoint] = []


class _Handler(MetricsHandler):
    """Answers one request."""

    timeout = _PATIENCE
    server_version, sys_version = "obs-run", ""
    server: _Server

    def setup(self) -> None:
        """Begin with the handshake, which ``accept`` would keep all others waiting for."""
        super().setup()
        if self.server.tls is not None:
            handshaking: SSLSocket = self.request
            handshaking.do_handshake()

    def do_GET(self) -> None:  # noqa: N802 (the name that http.server looks for)
        """Answer with the metrics, or what is missing."""
        access = self.server.access
        if not access.allows(self.headers.get("Authorization")):
            self._refuse(HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", text) for text in access.challenges])
            return
        try:
            with _state.scraping:
                super().do_GET()
        except OSError:
            raise  # of the connection
        except Exception as error:  # noqa: BLE001 (the page is made by collectors of the agent, too)
            guard.failed("Prometheus endpoint", error)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [])

    def _refuse(self, status: HTTPStatus, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    """Serves each request on a thread of its own, a bounded number at a time, and prints nothing."""

    daemon_threads = True
    block_on_close = False
    # Two agents at one port would answer by turns.
    allow_reuse_port = False

    def __init__(self, host: str, port: int, access: endpoint_access.Access, tls: endpoint_access.Tls | None) -> None:
        self.access, self.tls = access, tls
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        [(self.address_family, _, _, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        super().__init__((str(address[0]), port), _Handler)

    def server_bind(self) -> None:
        """Bind; HTTPServer's own also asks DNS for a name of the address, which nobody needs and may take seconds."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, with the handshake still to come."""
        connection, address = super().get_request()
        if self.tls is None:
            return connection, address
        try:
            connection.settimeout(_PATIENCE)
            wrapped = self.tls.context().wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except BaseException:
            connection.close()
            raise
        return wrapped, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a thread; one too many is closed."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection, and let the next one in."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: those who ask hang up, or speak something else, as they like."""


class Endpoint:
    """A server at ``host`` and ``port``, and what is needed to begin again in a child process."""

    def __init__(self, host: str, port: int, access: endpoint_access.Access, tls: endpoint_access.Tls | None) -> None:
        self.host, self.port, self.access, self.tls = host, port, access, tls
        self._server: _Server | None = None

    @property
    def serves(self) -> bool:
        """Whether this process answers here."""
        return self._server is not None

    def serve(self) -> None:
        """Bind and answer from now on; OSError where that cannot be."""
        server = _Server(self.host, self.port, self.access, self.tls)
        self.port = server.server_address[1]
        self._server = server
        thread = threading.Thread(target=server.serve_forever, name="obs-run-prometheus", daemon=True)
        # In no context: what collects metrics belongs to no span of whoever happened to begin this.
        Context().run(thread.start)

    def let_go(self) -> None:
        """In a child process: close the parent's socket, which would keep the port taken when the parent has ended."""
        if self._server is not None:
            self._server.socket.close()
            self._server = None
        self.access.after_fork()


def serve(host: str | None = None, port: int | None = None) -> tuple[str, int] | None:
    """Serve the metrics at ``host`` and ``port`` (default: the settings'), protected as the settings say.

    Return the address, None (and one warning) if it cannot be served. A second call for the same address finds the
    first one's endpoint.
    """
    source = "start_prometheus_exporter" if host is not None or port is not None else _PORT
    host = settings.get(_HOST) if host is None else host
    port = settings.get(_PORT) if port is None else port
    endpoint = _served(host, port, source)
    return None if endpoint is None else (endpoint.host, endpoint.port)


def resume() -> None:
    """In a child process: serve where the parent did, once it has ended."""
    for endpoint in _endpoints:
        if not endpoint.serves:
            try:
                endpoint.serve()
            except (OSError, RuntimeError):
                continue  # it has not, or no thread can begin


def make_reader(*, is_first: bool = True) -> Any:
    """Return a metric reader behind the page; the first one has the target's description."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader

    from obs_run.pipeline import redact_metrics

    return redact_metrics.scrubbed(PrometheusMetricReader(disable_target_info=not is_first))


def _served(host: str, port: int, given: str) -> Endpoint | None:
    """Return the endpoint at this address; None, said in one line, if there can be none."""
    host = host.strip().removeprefix("[").removesuffix("]")
    for endpoint in _endpoints:
        if (endpoint.host, endpoint.port) == (host, port) and endpoint.serves:
            return endpoint
    try:
        access, tls = endpoint_access.Access(), endpoint_access.tls_or_none()
    except (SecretFileError, settings.NotAllowedError) as problem:
        guard.warn_once(f"{problem}; metrics are not served to Prometheus")
        return None
    endpoint = Endpoint(host, port, access, tls)
    try:
        endpoint.serve()
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        guard.warn_once(f"{given}: cannot serve metrics on {host}:{port} ({reason})")
        return None
    _endpoints.append(endpoint)
    _say_if_exposed(endpoint)
    return endpoint


def _say_if_exposed(endpoint: Endpoint) -> None:
    if _is_loopback(endpoint.host):
        return
    place = f"{endpoint.host}:{endpoint.port}"
    if not endpoint.access.asked_for and not (endpoint.tls is not None and endpoint.tls.asks_for_certificates):
        guard.warn_once(
            f"metrics on {place} are open to everybody who can reach it; OBS_PROMETHEUS_USERS_FILE, "
            "OBS_PROMETHEUS_TOKENS_FILE or OBS_PROMETHEUS_CLIENT_CERTIFICATES would ask who it is"
        )
    elif endpoint.tls is None:
        guard.warn_once(
            f"metrics on {place}: passwords and tokens cross the network unencrypted; "
            "OBS_PROMETHEUS_CERTIFICATE and OBS_PROMETHEUS_KEY would encrypt them"
        )


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _hold_scrapes() -> None:
    """Wait for a scrape in another thread: the child would inherit the locks that it holds."""
    _state.is_held = bool(_endpoints) and _state.scraping.acquire(timeout=_FORK_PATIENCE)


def _let_scrapes_go_on() -> None:
    if _state.is_held:
        _state.scraping.release()


def _after_fork_in_child() -> None:
    _state.scraping = threading.RLock()
    for endpoint in _endpoints:
        endpoint.let_go()


fork.register(
    fork.ENDPOINTS,
    "Prometheus endpoint",
    before=_hold_scrapes,
    in_parent=_let_scrapes_go_on,
    in_child=_after_fork_in_child,
)
