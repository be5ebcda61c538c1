"""``obsctl replay``: sends traces that were recorded to an OTLP endpoint."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obs_run import settings
from obs_run.cli import terminal, words
from obs_run.cli.export import chosen, chosen_arguments
from obs_run.cli.mistake import Mistake
from obs_run.cli.progress import Progress
from obs_run.pipeline.request_buffer import Refused, Request, RetryLater
from obs_run.setting_texts import is_header_name, is_header_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any
    from urllib.parse import SplitResult

    from obs_run.pipeline.otlp_address import EndpointOverride
    from obs_run.pipeline.request_buffer import Outcome, Transport
    from obs_run.pipeline.signals import Signal
    from obs_run.telemetry.otlp_records import Records

_TIMEOUT = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_DIVIDED = ("400", "413", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
_PROTOCOLS = ("http/protobuf", "grpc")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    chosen_arguments(parser)
    parser.add_argument("--to", metavar="ENDPOINT", help="OTLP endpoint (else OTEL_EXPORTER_OTLP_ENDPOINT)")
    parser.add_argument("--protocol", choices=_PROTOCOLS, help="how to speak to it (http/protobuf; grpc at port 4317)")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="sent with each request")
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="SECONDS", help="how long to try while the endpoint is away (30)"
    )


def run(args: argparse.Namespace) -> int:
    """Send what was asked for; 1 unless all of it arrived."""
    target = _Target(args.to, args.protocol, args.header)
    replay = _Replay(target, args.wait)
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        try:
            with Progress("records sent") as progress:
                for batch in chosen(reader, args):
                    replay.send(batch)
                    progress.add(len(batch))
        except _StoppedError as stopped:
            print(f"obsctl: {words.one_line(str(stopped))}", file=sys.stderr)
        finally:
            target.close()
        if not (replay.sent or replay.lost or replay.is_stopped):
            print(f"obsctl: nothing of {words.one_line(reader.place)} fits", file=sys.stderr)
            return 1
    print(replay.text())
    return 1 if replay.lost or replay.is_stopped else 0


class _StoppedError(Exception):
    """It makes no sense to go on."""


class _Target:
    """The transports to one endpoint, made when they are needed."""

    def __init__(self, endpoint: str | None, protocol: str | None, headers: Sequence[str]) -> None:
        if endpoint is None and not settings.otlp("traces", "ENDPOINT"):
            raise Mistake("say where to: --to http://host:4318, or OTEL_EXPORTER_OTLP_ENDPOINT")
        if endpoint is None and (protocol or headers):
            raise Mistake("--protocol and --header belong to --to; those of the settings go to the settings' endpoint")
        self._endpoint = None if endpoint is None else _url(endpoint)
        self._protocol = protocol or _protocol_of(self._endpoint)
        self._headers = dict(_header(text) for text in headers)
        self._transports: dict[Signal, Transport] = {}

    def transport(self, signal: Signal) -> Transport:
        if signal not in self._transports:
            try:
                self._transports[signal] = self._make(signal)
            except settings.NotAllowedError as problem:
                raise Mistake(str(problem)) from None
        return self._transports[signal]

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _make(self, signal: Signal) -> Transport:
        if self._endpoint is None:
            from obs_run.runtime import destinations

            transport = destinations.transport_of(signal)
            if transport is None:
                raise Mistake("gRPC needs the extra: pip install 'obs-run[grpc]'")
            return transport
        if self._protocol == "grpc":
            from obs_run.pipeline.otlp_grpc import GrpcTransport

            try:
                return GrpcTransport(signal, self._override(self._endpoint))
            except ImportError:
                raise Mistake("--protocol grpc needs the extra: pip install 'obs-run[grpc]'") from None
        from obs_run.pipeline.otlp_http import HttpTransport

        parts = urlsplit(self._endpoint)
        url = parts._replace(path=f"{parts.path.rstrip('/')}/v1/{signal}").geturl()
        return HttpTransport(signal, self._override(url))

    def _override(self, url: str) -> EndpointOverride:
        from obs_run.pipeline.otlp_address import EndpointOverride

        return EndpointOverride(url, self._headers)


class _Replay:
    """Sends batches, and counts what arrived."""

    def __init__(self, target: _Target, wait: float) -> None:
        self._target, self._wait = target, wait
        self.sent = self.lost = 0
        self.is_stopped = False
        self._arrived: dict[Signal, int] = {"traces": 0, "logs": 0, "metrics": 0}
        self._refused: set[Signal] = set()
        self._said: set[str] = set()

    def text(self) -> str:
        names: tuple[tuple[Signal, str], ...] = (("traces", "span"), ("logs", "log line"), ("metrics", "metric point"))
        parts = [words.count(self._arrived[signal], name) for signal, name in names]
        return f"sent {', '.join(parts)}" + (f"; {self.lost} not taken" if self.lost else "")

    def send(self, batch: Records) -> None:
        for signal, records in batch.by_signal():
            self._send(signal, records)

    def _send(self, signal: Signal, records: Sequence[Any]) -> None:
        from obs_run.telemetry.otlp_json import signal_json
        from obs_run.telemetry.otlp_requests import encode_request

        number = len(records)
        if signal in self._refused:
            self.lost += number
            return
        try:
            body = encode_request(signal, signal_json(signal, records))
        except ValueError as error:
            if not self._send_halves(signal, records):
                self._lose(number, f"{signal} cannot be sent: {error}")
            return
        transport = self._target.transport(signal)
        outcome = self._outcome(transport, Request(transport.prepare(body), number))
        if isinstance(outcome, RetryLater):
            self.is_stopped = True
            raise _StoppedError(f"stopped: {transport.address} is away ({outcome.reason})")
        if isinstance(outcome, Refused):
            if outcome.status in _DIVIDED and self._send_halves(signal, records):
                return
            self._lose(number, f"{transport.address} refuses {signal}: status {outcome.status} {outcome.message}")
            if not self._arrived[signal]:
                # As a Jaeger does with all but traces; the others may be taken.
                self._refused.add(signal)
            return
        rejected = max(0, min(outcome.rejected, number))
        if outcome.message:
            self._say(f"{transport.address} says of {signal}: {outcome.message}")
        self.lost += rejected
        self.sent += number - rejected
        self._arrived[signal] += number - rejected

    def _send_halves(self, signal: Signal, records: Sequence[Any]) -> bool:
        """Send records in two requests: one that is not taken, or a request too large, shall not cost the others."""
        middle = len(records) // 2
        if not middle:
            return False
        self._send(signal, records[:middle])
        self._send(signal, records[middle:])
        return True

    def _lose(self, number: int, why: str) -> None:
        self.lost += number
        self._say(why)

    def _outcome(self, transport: Transport, request: Request) -> Outcome:
        """Return what became of a request, tried again for as long as is to be waited."""
        until, pause = time.monotonic() + self._wait, _FIRST_PAUSE
        while True:
            outcome = transport.send(request, time.monotonic() + _TIMEOUT)
            left = until - time.monotonic()
            if not isinstance(outcome, RetryLater) or left <= 0:
                return outcome
            time.sleep(min(left, pause if outcome.seconds is None else outcome.seconds))
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _say(self, text: str) -> None:
        line = words.one_line(" ".join(text.split()))[:400]
        if line not in self._said:
            self._said.add(line)
            print(f"obsctl: {line}", file=sys.stderr)


def _url(endpoint: str) -> str:
    parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
        raise Mistake(f"--to {endpoint!r} is not like http://host:4318 or https://host:4317")
    path = parts.path
    for signal in ("traces", "logs", "metrics"):
        path = path.removesuffix(f"/v1/{signal}")
    return parts._replace(path=path).geturl()


def _has_port(parts: SplitResult) -> bool:
    """Tell whether the port, if there is one, is a number that a port can have."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _protocol_of(endpoint: str | None) -> str:
    """Return the protocol that an endpoint speaks, by the standard's ports where nobody says."""
    return "grpc" if endpoint is not None and urlsplit(endpoint).port == 4317 else "http/protobuf"  # noqa: PLR2004 (OTLP's port)


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not separator or not is_header_name(name) or not is_header_value(value):
        raise Mistake("--header takes NAME=VALUE, such as x-tenant=one, in ASCII")
    return name.lower(), value
