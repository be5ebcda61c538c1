"""The HTTP proxy that the environment names for a host, as curl and most HTTP clients read it."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from obs_run.base import guard
from obs_run.base.masking import masked_value

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_PORT = 80
_LOOPBACK = ("localhost", "127.", "::1")


class Proxy(NamedTuple):
    """Where the proxy is, and the header that it wants to see."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """Return the proxy on the way to a host; None for none, and always for this machine itself."""
    if host.startswith(_LOOPBACK) or _is_left_out(host, port, _variable(environ, "no_proxy")):
        return None
    text = _variable(environ, f"{scheme}_proxy") or _variable(environ, "all_proxy")
    if not text:
        return None
    name = f"{scheme.upper()}_PROXY"
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        proxy_port = parts.port or _DEFAULT_PORT
    except ValueError:
        proxy_port = 0
    if parts.scheme != "http" or not parts.hostname or not proxy_port:
        guard.warn_once(f"{name}: {masked_value(text)!r} is not http://host:port; OTLP goes without a proxy")
        return None
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    return Proxy(parts.hostname, proxy_port, headers)


def _variable(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    # In a CGI script the upper-case one is what the client's header Proxy says.
    if not value and not (name == "http_proxy" and "REQUEST_METHOD" in environ):
        value = environ.get(name.upper(), "")
    return value.strip()


def _is_left_out(host: str, port: int, names: str) -> bool:
    """Whether NO_PROXY names a host: *, the name or one above it, with its port or without, an address or a range."""
    host = host.lower().rstrip(".")
    for each in names.lower().replace(",", " ").split():
        name, _, its_port = each.rpartition(":") if each.count(":") == 1 else (each, "", "")
        if its_port and its_port != str(port):
            continue
        name = name.strip("[]").removeprefix("*").lstrip(".")
        if each == "*" or host == name or (name and host.endswith(f".{name}")):
            return True
        if "/" in name and _is_in_range(host, name):
            return True
    return False


def _is_in_range(host: str, network: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
