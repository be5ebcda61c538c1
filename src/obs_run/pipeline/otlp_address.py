"""Where one signal's OTLP goes and what is shown to who takes it there: URL, TLS, client certificate, headers."""

from __future__ import annotations

import base64
import os
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from obs_run import settings
from obs_run.base import guard
from obs_run.base.masking import masked_value
from obs_run.files.secret_file import SecretFile, SecretFileError, lines, say_if_open, state
from obs_run.pipeline import bounded_sockets
from obs_run.pipeline.proxy import proxy_for
from obs_run.process import private_modules
from obs_run.process.native_calls import native_calls
from obs_run.process.unpatched import monotonic, sleep
from obs_run.setting_texts import is_header_name, is_header_value

if TYPE_CHECKING:
    import http.client
    import ssl
    from urllib.parse import SplitResult

_PATHS = {"traces": "v1/traces", "metrics": "v1/metrics", "logs": "v1/logs"}
_HEADERS_FILE = "OBS_OTLP_HEADERS_FILE"
_HANDSHAKE_PAUSE = 0.002


def http_url(signal: str) -> str:
    """Return the URL that HTTP posts to."""
    own: str | None = settings.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    if own:
        return own
    base = urlsplit(settings.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318")
    return base._replace(path=f"{base.path.rstrip('/')}/{_PATHS[signal]}").geturl()


def grpc_url(signal: str) -> str:
    """Return the URL that gRPC speaks to; without a scheme it is TLS (OTLP exporter specification, "Insecure")."""
    own, common = (f"OTEL_EXPORTER_OTLP_{infix}ENDPOINT" for infix in (f"{signal.upper()}_", ""))
    name = own if settings.get(own) else common
    url: str = settings.get(name) or "http://localhost:4317"
    if "://" in os.environ.get(name, "://") or settings.otlp(signal, "INSECURE"):
        return url
    return url.replace("http://", "https://", 1)


class EndpointOverride(NamedTuple):
    """An address that is not the settings', and the headers for it: those of the settings are for their server."""

    url: str
    headers: dict[str, str]


class Headers:
    """The headers of the settings, and over them those of OBS_OTLP_HEADERS_FILE as it is now; names in lower case."""

    def __init__(self, signal: str, url: SplitResult, override: EndpointOverride | None = None) -> None:
        chosen = override.headers if override else settings.otlp(signal, "HEADERS") or {}
        self._set = {} if url.username is None else {"authorization": _basic(url)}
        self._set |= {name.lower(): value for name, value in chosen.items()}
        path = None if override else settings.get(_HEADERS_FILE)
        self._file = SecretFile(_HEADERS_FILE, path, parse_headers) if path else None
        self._read: dict[str, str] = {}

    def account(self) -> str:
        """Return what tells whose data goes there, by the headers that stay: a tenant, an account, a key."""
        return "\n".join(f"{name}: {value}" for name, value in sorted(self._set.items()))

    def now(self) -> dict[str, str]:
        """Return the headers; a file that cannot be used is said once, and what it said before stays in force."""
        if self._file is not None:
            try:
                self._read = self._file.now()
            except SecretFileError as problem:
                kept = "what it said before stays" if self._read else "its headers are not sent"
                guard.warn_once(f"{problem}; {kept}")
        return {**self._set, **self._read}


def headers_problem() -> str | None:
    """Return what is wrong with OBS_OTLP_HEADERS_FILE, None if nothing is."""
    path = settings.get(_HEADERS_FILE)
    try:
        if path:
            SecretFile(_HEADERS_FILE, path, parse_headers).now()
    except SecretFileError as problem:
        return str(problem)
    return None


def parse_headers(text: str) -> dict[str, str]:
    """Read lines ``key=value`` or ``key: value``; of a key that is there twice the last value counts."""
    headers = {}
    for number, line in lines(text):
        separators = [index for index in (line.find("="), line.find(":")) if index > 0]
        name = value = ""
        if separators:
            name, value = line[: min(separators)].strip(), line[min(separators) + 1 :].strip()
        if not (value and is_header_name(name)):
            raise SecretFileError(f"line {number} is not key=value or key: value")
        if not is_header_value(value):
            raise SecretFileError(f"line {number} has a value that no header can carry (ASCII, no control characters)")
        headers[name.lower()] = value
    return headers


def _basic(url: SplitResult) -> str:
    """Return what a user and password in the URL mean to HTTP clients (RFC 7617)."""
    user_and_password = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()


class Address:
    """Where and how to connect, from the standard variables; ``settings.NotAllowedError`` for files of no use."""

    def __init__(self, signal: str, override: EndpointOverride | None = None) -> None:
        url = override.url if override else http_url(signal)
        self.shown = masked_value(url)
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        # Passed always: http.client reads a port out of an IPv6 address otherwise.
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = Tls(signal) if parts.scheme == "https" else None
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.headers = Headers(signal, parts, override)
        url_alone = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self.key = f"{url_alone}\n{self.headers.account()}"
        self._proxy = proxy_for(parts.scheme, self._host, self._port)
        self.proxy_headers: dict[str, str] = {}
        """What is sent along for a proxy that reads the requests, which it does not in a tunnel."""
        if self._proxy is not None and self._tls is None:
            self.path = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{self.path}"
            self.proxy_headers = self._proxy.headers

    def connect(self, until: float) -> http.client.HTTPConnection:
        """Return a connection, opened."""
        via = self._proxy or (self._host, self._port)
        # Private: recorders and debugging switches of the agent are put on those that it uses itself.
        connection: Any = private_modules.load("http.client").HTTPConnection(via[0], via[1])
        # There is no public way.
        connection._create_connection = partial(_connect, until)  # noqa: SLF001
        if self._tls is not None and self._proxy is not None:
            connection.set_tunnel(self._host, self._port, self._proxy.headers)
        try:
            connection.connect()
            if self._tls is not None:
                _begin_tls(connection, self._tls.context(), self._host, until)
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]


def _host(name: str) -> str | bytes:
    """Return a host's name as bytes if it is ASCII: it needs no codec then, which is a module that nobody else uses."""
    return name.encode("ascii") if name.isascii() else name


def _connect(until: float, address: tuple[str, int], *_: object) -> Any:
    return bounded_sockets.connect(_host(address[0]), address[1], until)


def _begin_tls(connection: Any, context: ssl.SSLContext, host: str, until: float) -> None:
    """Have an open connection speak TLS."""
    bounded_sockets.bind_tls(context)
    with native_calls:
        connection.sock = context.wrap_socket(
            connection.sock, server_hostname=_host(host), do_handshake_on_connect=False
        )
    connection.sock.until = until
    _shake_hands(connection.sock, until)


def _shake_hands(sock: Any, until: float) -> None:
    """Do the handshake in time; a fork does not wait for what waits for the server."""
    ssl = private_modules.load("ssl")
    sock.settimeout(0)
    while True:
        try:
            with native_calls:
                sock.do_handshake()
            break
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if monotonic() > until:
                raise TimeoutError("the TLS handshake takes too long") from None
            sleep(_HANDSHAKE_PAUSE)


class Files(NamedTuple):
    """The PEM files of one signal: authorities, client certificate and its key."""

    authorities: str | None
    certificate: str | None
    key: str | None

    @classmethod
    def of(cls, signal: str) -> Files:
        """Return the files that the settings name."""
        return cls(*(settings.otlp(signal, name) for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")))

    def states(self) -> list[object]:
        """Return what changes when one of the files does."""
        return [state(path) for path in self if path]


class Tls:
    """TLS to the collector of one signal, renewed when its files are: client certificates live for hours only."""

    def __init__(self, signal: str) -> None:
        self.files = Files.of(signal)
        self._seen = self.files.states()
        self._context = _context(self.files)

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection."""
        states = self.files.states()
        if states != self._seen:
            self._seen = states
            try:
                self._context = _context(self.files)
            except settings.NotAllowedError as problem:
                guard.warn_once(f"{problem}; the certificate of before stays")
        return self._context


def _context(files: Files) -> ssl.SSLContext:
    if files.key and not files.certificate:
        raise settings.NotAllowedError(
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set, but OTEL_EXPORTER_OTLP_CLIENT_KEY is"
        )
    try:
        create = private_modules.load("ssl").create_default_context
        with native_calls:
            context: ssl.SSLContext = create(cafile=files.authorities)
    except OSError as error:
        raise _not_a_certificate("CERTIFICATE", files.authorities or "", error) from None
    if not files.authorities and not context.get_ca_certs():
        # Slim containers have no system certificates; HTTP clients bring certifi.
        try:
            import certifi
        except ImportError:
            pass
        else:
            with native_calls:
                context.load_verify_locations(certifi.where())
    if files.certificate:
        try:
            # An encrypted key would ask for its password on the agent's terminal.
            with native_calls:
                context.load_cert_chain(files.certificate, files.key, password="")
        except (OSError, ValueError) as error:
            paths = ", ".join(filter(None, (files.certificate, files.key)))
            raise _not_a_certificate("CLIENT_CERTIFICATE", paths, error) from None
        say_if_open("OTEL_EXPORTER_OTLP_CLIENT_KEY", files.key or files.certificate)
    return context


def _not_a_certificate(name: str, path: str, error: Exception) -> settings.NotAllowedError:
    reason = getattr(error, "strerror", None) or error
    return settings.NotAllowedError(
        f"OTEL_EXPORTER_OTLP_{name}: {path!r} is not allowed; allowed: a readable PEM file{_but(path)} ({reason})"
    )


def _but(paths: str) -> str:
    """Return what is said of a key that asks for a password: what OpenSSL says of it explains nothing."""
    return " without a password" if any(_is_encrypted(path) for path in paths.split(", ")) else ""


def _is_encrypted(path: str) -> bool:
    try:
        return b"ENCRYPTED" in _content(path)
    except OSError:
        return False


def credentials(files: Files) -> Any:
    """Return the same for gRPC, whose own messages about wrong files are a traceback."""
    from importlib import import_module

    _context(files)
    contents = [_content(path) if path else None for path in (files.authorities, files.key, files.certificate)]
    return import_module("grpc").ssl_channel_credentials(contents[0], contents[1] or contents[2], contents[2])


def _content(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 (pathlib is not loaded for this)
        return file.read()
