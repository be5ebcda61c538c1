"""What ``obsctl doctor`` looks up: installed versions, the OTLP endpoint, the hook."""

from __future__ import annotations

import os
import re
from importlib import metadata
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.pipeline import otlp_address
from obs_run.process import private_modules
from obs_run.process.unpatched import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from urllib.parse import SplitResult

SEND_SECONDS = 2.0
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*\(?([^;)]*)\)?(;.*)?")


def installed(distribution: str) -> str | None:
    """Return the version of ``distribution``, None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def requirements(distribution: str) -> Iterator[tuple[str, str | None, str]]:
    """Yield what ``distribution`` requires: name, installed version, wanted range."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        match = _REQUIREMENT.fullmatch(line.strip())
        if match and "extra" not in (match[3] or ""):
            yield match[1], installed(match[1]), match[2].strip()


def fits(version: str, wanted: str) -> bool:
    """Tell whether ``version`` is in the range ``wanted`` (comma list of >=, >, <, <=, ==, !=)."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def endpoint(signal: str) -> tuple[str, str]:
    """Return URL and protocol of the OTLP exporter of ``signal``."""
    protocol = settings.otlp(signal, "PROTOCOL") or "http/protobuf"
    if protocol == "grpc":
        return otlp_address.grpc_url(signal), protocol
    return otlp_address.http_url(signal), protocol


def unreachable(signal: str) -> str | None:
    """Connect to the OTLP endpoint of a signal; return None, or in one line why nothing takes anything there."""
    url, protocol = endpoint(signal)
    return _tried(url, lambda place: _connect(place) if protocol == "grpc" else _open(signal))


def send_test_span(url: str, protocol: str) -> str | None:
    """Send one span called ``obsctl doctor`` to where traces go; return None, or in one line why it was not taken."""
    return _tried(url, lambda place: _connect(place) if protocol == "grpc" else _post())


def _tried(url: str, tries: Callable[[SplitResult], str | None]) -> str | None:
    from urllib.parse import urlsplit

    place = urlsplit(url)
    try:
        return tries(place)
    except settings.NotAllowedError as problem:
        return str(problem)
    except OSError as error:
        reason = getattr(error, "reason", error)
        return f"{place.hostname}: {getattr(reason, 'strerror', None) or reason}"


def _connect(place: SplitResult) -> str | None:
    import socket

    # Only the port is tried: the grpc library is an extra.
    socket.create_connection((place.hostname or "", place.port or 4317), SEND_SECONDS).close()
    return None


def _open(signal: str) -> str | None:
    otlp_address.Address(signal).connect(monotonic() + SEND_SECONDS).close()
    return None


def _post() -> str | None:
    address = otlp_address.Address("traces")
    headers = {"Content-Type": "application/x-protobuf", **address.proxy_headers, **address.headers.now()}
    connection = address.connect(monotonic() + SEND_SECONDS)
    try:
        connection.request("POST", address.path, _test_span(), headers)
        answer = connection.getresponse()
        answered = None if answer.status < 300 else f"answered {answer.status} {answer.reason}"  # noqa: PLR2004 (taken)
    except private_modules.load("http.client").HTTPException as error:
        answered = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return answered


def _test_span() -> bytes:
    import time

    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.trace import SpanContext, TraceFlags

    ids, now = RandomIdGenerator(), time.time_ns()
    context = SpanContext(ids.generate_trace_id(), ids.generate_span_id(), is_remote=False, trace_flags=TraceFlags(1))
    resource = Resource({"service.name": "obsctl"})
    span = ReadableSpan("obsctl doctor", context, resource=resource, start_time=now, end_time=now)
    sent: bytes = encode_spans([span]).SerializeToString()
    return sent


def not_writable(path: Path) -> str | None:
    """Return why the store could not be written at ``path``; None if nothing speaks against it."""
    if path.exists():
        return None if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "not writable"
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is not a folder"
    return None if os.access(folder, os.W_OK) else f"{folder} is not writable"
