"""``obsctl spool``: what waits on this disk for OTLP endpoints that were away; send it, or drop it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from obs_run import settings
from obs_run.cli import words
from obs_run.cli.mistake import Mistake
from obs_run.files.segment import Segment, is_locked
from obs_run.pipeline import spool, spool_folder
from obs_run.pipeline.losses import Losses
from obs_run.runtime import destinations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from obs_run.pipeline.request_buffer import Transport
    from obs_run.pipeline.signals import Signal

_ITEMS = {"traces": ("span", "spans"), "logs": ("log record", "log records")}
_BILLION = 10**9
_CLOSE_SECONDS = 1.0


class _Contents(NamedTuple):
    """What waits in the folder of one endpoint."""

    folder: Path
    endpoint: spool_folder.OtlpEndpoint
    requests: int
    items: int
    size: int
    oldest: float
    tried: int
    damaged: int
    in_use: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    commands = parser.add_subparsers(dest="what", metavar="command", title="commands", required=True)
    sentence = "Say what waits, for which endpoint, since when."
    commands.add_parser("status", help=sentence, description=sentence)
    sentence = "Send what waits for the endpoints of the settings; what waits under NAME to whatever they are now."
    replay = commands.add_parser("replay", help=sentence, description=sentence)
    replay.add_argument("names", nargs="*", metavar="NAME", help="as status prints it, or its beginning")
    sentence = "Delete what waits under NAME, without sending it."
    drop = commands.add_parser("drop", help=sentence, description=sentence)
    drop.add_argument("names", nargs="*", metavar="NAME", help="as status prints it, or its beginning")
    drop.add_argument("--all", action="store_true", help="everything")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    folder = destinations.spool_folder()
    try:
        if args.what == "status":
            return _status(folder)
        return _replay(folder, args.names) if args.what == "replay" else _drop(folder, args.names, everything=args.all)
    except OSError as error:
        raise Mistake(f"the spool at {folder} cannot be read: {error.strerror or error}") from None


def _status(folder: Path) -> int:
    contents = [each for each in _all(folder) if each.requests or each.damaged]
    limit, keep = settings.get("OBS_SPOOL_BYTES"), settings.get("OBS_SPOOL_KEEP")
    size = sum(each.size for each in contents)
    until = f"kept {words.age(keep)}" if keep else "kept without end"
    off = "" if settings.get("OBS_SPOOL") else "; off (OBS_SPOOL=false)"
    requests = words.count(sum(each.requests for each in contents), "request")
    print(f"spool {folder}: {requests}, {words.a_size(size)} of {words.a_size(limit)}, {until}{off}")
    for each in contents:
        print(_line(each))
    return 0


def _line(contents: _Contents) -> str:
    parts = [words.count(contents.requests, "request"), _items(contents.endpoint.signal, contents.items)]
    parts.append(words.a_size(contents.size))
    if contents.requests:
        parts.append(f"since {words.clock(int(contents.oldest) * _BILLION)}")
    if contents.tried:
        parts.append(f"{contents.tried} may have arrived")
    if contents.damaged:
        parts.append(words.count(contents.damaged, "damaged place"))
    if contents.in_use:
        parts.append("in use by a program that runs")
    of = words.one_line(f"{contents.endpoint.signal} to {contents.endpoint.address} ({contents.endpoint.protocol})")
    return f"{contents.folder.name}  {of}: {', '.join(parts)}"


def _items(signal: str, number: int) -> str:
    return words.count(number, *_ITEMS.get(signal, ("export of metrics", "exports of metrics")))


def _replay(folder: Path, names: Sequence[str]) -> int:
    chosen = _named(folder, names)
    lost = Losses()
    of_all = spool.Spool(folder, settings.get("OBS_SPOOL_BYTES"), settings.get("OBS_SPOOL_KEEP"), lost)
    failed = False
    waiting = 0
    for contents in chosen or _all(folder):
        if not contents.requests:
            continue
        transport = _transport(contents.endpoint.signal)
        if transport is None or (not chosen and _is_for_other(of_all, contents, transport)):
            waiting += 1
            failed |= bool(chosen)
            continue
        failed |= not _send(
            spool.DestinationSpool(of_all, contents.endpoint, contents.folder), contents, transport, lost
        )
    if waiting:
        why = "the settings have no OTLP endpoint for them" if chosen else "not for the endpoints of the settings"
        print(f"obsctl: left as they are: {words.count(waiting, 'entry', 'entries')}, {why}", file=sys.stderr)
    return 1 if failed else 0


def _is_for_other(of_all: spool.Spool, contents: _Contents, transport: Transport) -> bool:
    its = destinations.spool_of(of_all, _signal(contents), transport)
    return its is None or its.folder != contents.folder


def _send(waiting: spool.DestinationSpool, contents: _Contents, transport: Transport, lost: Losses) -> bool:
    from obs_run.pipeline.otlp_destination import OtlpDestination

    destination = OtlpDestination(_signal(contents), transport, lost, waiting)
    replayed = destination.replay()
    destination.close(time.monotonic() + _CLOSE_SECONDS)
    address = words.one_line(transport.address)
    if replayed.requests:
        print(f"{contents.folder.name}: sent {_items(contents.endpoint.signal, replayed.items)} to {address}")
    dropped = "; ".join(f"{number} {loss.reason}" for loss, number in lost.take_counts().items())
    if dropped:
        print(f"{contents.folder.name}: {words.one_line(dropped)}", file=sys.stderr)
    repeated = sum(lost.take_repeated().values())
    if repeated:
        print(f"{contents.folder.name}: {repeated} of them may have arrived twice", file=sys.stderr)
    if replayed.failure is not None:
        why = words.one_line(replayed.failure)
        print(f"{contents.folder.name}: the rest waits, {address} is away ({why})", file=sys.stderr)
    return replayed.failure is None and not dropped


def _transport(signal: str) -> Transport | None:
    if signal not in destinations.SIGNALS or "otlp" not in destinations.names(signal):
        return None
    try:
        return destinations.transport_of(signal)
    except settings.NotAllowedError as problem:
        raise Mistake(str(problem)) from None


def _signal(contents: _Contents) -> Signal:
    return contents.endpoint.signal  # type: ignore[return-value]


def _drop(folder: Path, names: Sequence[str], *, everything: bool) -> int:
    if bool(names) == everything:
        raise Mistake("say which: a NAME as obsctl spool status prints it, or --all")
    for contents in _all(folder) if everything else _named(folder, names):
        for path, _ in spool_folder.files_of(contents.folder):
            segment = Segment.claim(path)
            if segment is not None:
                segment.delete()
        dropped = contents.items
        if contents.in_use:
            dropped -= _contents(contents.folder, contents.endpoint).items
            print(f"{contents.folder.name}: a program that runs has the rest, and sends it", file=sys.stderr)
        print(f"{contents.folder.name}: dropped {_items(contents.endpoint.signal, dropped)}")
    return 0


def _named(folder: Path, names: Sequence[str]) -> list[_Contents]:
    contents = _all(folder)
    chosen = []
    for name in names:
        fitting = [each for each in contents if each.folder.name.startswith(name)]
        if len(fitting) != 1:
            raise Mistake(f"{'no entry' if not fitting else 'more than one entry'} of the spool is called {name!r}")
        chosen += fitting
    return chosen


def _all(folder: Path) -> list[_Contents]:
    return [_contents(its_folder, endpoint) for endpoint, its_folder in spool_folder.endpoints(folder)]


def _contents(folder: Path, endpoint: spool_folder.OtlpEndpoint) -> _Contents:
    requests = items = size = tried = damaged = in_use = 0
    oldest = float("inf")
    for path, its_size in spool_folder.files_of(folder):
        segment = Segment.look_at(path)
        if segment is None:
            continue
        size += its_size
        in_use += is_locked(path)
        for head in segment.heads():
            if head is None:
                damaged += 1
                continue
            requests += 1
            items += head.items
            tried += head.is_tried
            oldest = min(oldest, head.time)
        segment.close()
    return _Contents(folder, endpoint, requests, items, size, oldest, tried, damaged, in_use)
