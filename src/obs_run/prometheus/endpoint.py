"""The Prometheus endpoint: ``prometheus_client``'s page, served behind TLS and authentication, at home in forks.

``prometheus_client.start_http_server`` is not used for the serving: given one of certificate and key it answers without
TLS, a client that connects and says nothing to its TLS stops it for all, an encrypted key asks at the terminal, and
what breaks a connection is printed.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from prometheus_client import MetricsHandler

from obs_run import settings
from obs_run.base import guard
from obs_run.files.secret_file import SecretFileError
from obs_run.process import descriptors, fork, private_modules
from obs_run.process.threads import BackgroundThread
from obs_run.process.unpatched import RLock, allocate_lock, sleep
from obs_run.prometheus import access as endpoint_access

if TYPE_CHECKING:
    import socket
    from ssl import SSLSocket

_HOST, _PORT = "OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"
_PATIENCE = 10.0  # seconds that one who asks may keep silent
_MOST_AT_ONCE = 16
_FORK_PATIENCE = 0.5
_BACKLOG = 5
_PAUSE = 0.05
_SHUT_WR = 1


class _State:
    """Whether a scrape is going on."""

    def __init__(self) -> None:
        # Two scrapes at a time mix up what the reader has collected (opentelemetry-exporter-prometheus 0.66b2).
        self.scraping = RLock()
        self.is_held = False


_state = _State()
_endpoints: list[Endpoint] = []


class _Handler(MetricsHandler):
    """Answers one request."""

    timeout = _PATIENCE
    server_version, sys_version = "obs-run", ""
    server: _Server  # type: ignore[assignment]  # all that a handler needs of one

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


class _Server:
    """Serves each request on a thread of its own, a bounded number at a time, and prints nothing.

    ``http.server`` is not used for this: its sockets, selectors and threads may have been replaced by the agent's.
    """

    def __init__(self, host: str, port: int, access: endpoint_access.Access, tls: endpoint_access.Tls | None) -> None:
        self.access, self.tls = access, tls
        self._counting = allocate_lock()
        self._served = 0
        sockets = private_modules.load("socket")
        [(family, _, _, _, address), *_] = sockets.getaddrinfo(
            host, port, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE
        )
        made = sockets.socket(family, sockets.SOCK_STREAM)
        self.socket: socket.socket = sockets.socket(fileno=descriptors.move_up(made.detach()))
        try:
            self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            self.socket.bind((str(address[0]), port))
            self.socket.listen(_BACKLOG)
            self.server_address: tuple[Any, ...] = self.socket.getsockname()
            self._identity = descriptors.identity(self.socket.fileno())
        except BaseException:
            self.socket.close()
            raise

    def serve_forever(self) -> None:
        """Answer until the socket is closed."""
        while self.is_listening():
            try:
                self._accept()
            except OSError:  # noqa: PERF203 (once for each who asks)
                # Who asked has hung up already, or the agent has no more descriptors.
                sleep(_PAUSE)

    def is_listening(self) -> bool:
        """Whether the socket is open; one whose descriptor the agent closed is let go of."""
        number = self.socket.fileno()
        if number >= 0 and descriptors.identity(number) != self._identity:
            self.socket.detach()
        return self.socket.fileno() >= 0

    def _accept(self) -> None:
        connection, address = self.socket.accept()
        if not self._take_place():
            connection.close()
            return
        try:
            BackgroundThread(self._serve, connection, address).start()
        except RuntimeError:  # no more threads
            self._leave_place()
            connection.close()

    def _serve(self, connection: Any, address: Any) -> None:
        try:
            connection.settimeout(_PATIENCE)
            if self.tls is not None:
                # The handshake is still to come; it waits for who asks.
                connection = self.tls.context().wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            _Handler(connection, address, self)  # type: ignore[arg-type]  # all that it needs of a server
        except Exception:  # noqa: BLE001, S110 (those who ask hang up, or speak something else, as they like)
            pass
        finally:
            with suppress(OSError):
                connection.shutdown(_SHUT_WR)
            connection.close()
            self._leave_place()

    def _take_place(self) -> bool:
        """Whether one more may be answered now."""
        with self._counting:
            is_free = self._served < _MOST_AT_ONCE
            self._served += is_free
        return is_free

    def _leave_place(self) -> None:
        with self._counting:
            self._served -= 1


class Endpoint:
    """A server at ``host`` and ``port``, and what is needed to begin again in a child process."""

    def __init__(self, host: str, port: int, access: endpoint_access.Access, tls: endpoint_access.Tls | None) -> None:
        self.host, self.port, self.access, self.tls = host, port, access, tls
        self._server: _Server | None = None

    @property
    def serves(self) -> bool:
        """Whether this process answers here."""
        return self._server is not None and self._server.is_listening()

    def serve(self) -> None:
        """Bind and answer from now on; OSError where that cannot be."""
        server = _Server(self.host, self.port, self.access, self.tls)
        self.port = server.server_address[1]
        self._server = server
        BackgroundThread(server.serve_forever).start()

    def let_go(self) -> None:
        """In a child process: close the parent's socket, which would keep the port taken when the parent has ended."""
        if self._server is not None:
            if self._server.is_listening():
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
    _state.scraping = RLock()
    for endpoint in _endpoints:
        endpoint.let_go()


fork.register(
    fork.ENDPOINTS,
    "Prometheus endpoint",
    before=_hold_scrapes,
    in_parent=_let_scrapes_go_on,
    in_child=_after_fork_in_child,
)
