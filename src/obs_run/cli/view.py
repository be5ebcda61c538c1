"""``obsctl view``: what was recorded in a browser, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.cli import elsewhere, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager

    from obs_run.telemetry.reader import TraceReader
    from obs_run.view.source import Source

_PORT = 8321
_LEAST_TOKEN = 16
_SECONDS_OF_ANSWERS = 5  # how long those of another server are kept


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--port", type=int, metavar="N", help=f"the port on 127.0.0.1 ({_PORT}, or a free one)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="keep the token in FILE, which is made if it is not there: for Grafana, or a page that stays open",
    )
    parser.add_argument(
        "--jaeger-ui",
        type=Path,
        metavar="FOLDER",
        help="serve the build of Jaeger's interface in FOLDER at /jaeger/, too",
    )
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if args.port is not None and not 1 <= args.port < 1 << 16:
        raise Mistake(f"--port {args.port} is not a port: 1 to 65535")
    try:
        from obs_run.view import server
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        raise Mistake(f"view needs {library}: pip install 'obs-run[view]'") from None
    from obs_run.telemetry.reader import ReadError

    if args.jaeger_ui is not None and not (args.jaeger_ui / "index.html").is_file():
        raise Mistake(
            f"--jaeger-ui {args.jaeger_ui} has no index.html: the folder that the build of the interface made"
        )

    if args.store is None:
        elsewhere.tell_where_traces_go()
    try:
        source = open_source(args.store)
    except ReadError as error:
        raise Mistake(words.one_line(str(error))) from None
    token = secrets.token_urlsafe(24) if args.token_file is None else _kept_token(args.token_file)
    try:
        listener = server.listen(args.port or _PORT, fixed=args.port is not None)
    except OSError as error:
        raise Mistake(f"--port {args.port} cannot be listened on: {error.strerror}") from None
    address = f"http://{server.HOST}:{listener.getsockname()[1]}/?token={token}"

    def tell() -> None:
        print(f"{words.one_line(source.name)}: {address} (Ctrl-C ends it)", flush=True)
        if args.open:
            import webbrowser

            webbrowser.open(address)

    server.create(source, token, listener, tell, args.jaeger_ui).run(sockets=[listener])
    return 0


def _kept_token(path: Path) -> str:
    """Return the token in a file; a new one is written into a file that only the user may read."""
    token = secrets.token_urlsafe(24)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    except OSError as error:
        raise Mistake(f"--token-file {path} cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise Mistake(f"--token-file {path} cannot be read: {error.strerror}") from None
    if len(token) < _LEAST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise Mistake(f"--token-file {path} has no token: {_LEAST_TOKEN} or more printable characters without spaces")
    return token


def open_source(place: Path | str | None) -> Source:
    """Return what is to be shown; ``ReadError`` where it cannot be read, so that it is said now and not on the page."""
    from obs_run.readers.places import open_place
    from obs_run.store.location import default_path
    from obs_run.store.reader import Reader
    from obs_run.view.source import Source

    if place is None:
        place = default_path()
        if not place.exists():
            # An agent may be about to make it; until then the page says that there is none.
            return _store_source(place, f"the local store at {place}")
    first = Reader(place) if isinstance(place, Path) else open_place(place)
    if isinstance(first, Reader):
        first.close()
        return _store_source(Path(place).expanduser().absolute(), first.place)
    if str(place).startswith(("http://", "https://")):
        first.close()
        return Source(lambda: open_place(place), first.place, lambda: str(time.time() // _SECONDS_OF_ANSWERS))
    held = _Held(Path(place).expanduser(), first)
    return Source(held.open, first.place, held.stamp)


def _store_source(path: Path, name: str) -> Source:
    from obs_run.store.reader import Reader
    from obs_run.view.source import Source

    # The write-ahead log is what changes with every batch.
    files = (path, path.with_name(path.name + "-wal"))
    return Source(lambda: Reader(path), name, lambda: "-".join(map(_stamp, files)))


class _Held:
    """A file that was read as a whole, and is read again when it has changed."""

    def __init__(self, path: Path, reader: TraceReader) -> None:
        self._path, self._reader = path, reader
        self._read = self.stamp()

    def stamp(self) -> str:
        return _stamp(self._path)

    def open(self) -> AbstractContextManager[TraceReader]:
        from obs_run.readers.places import open_place

        stamp = self.stamp()
        if stamp and stamp != self._read:
            self._reader, self._read = open_place(self._path), stamp
        return nullcontext(self._reader)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns:x}.{found.st_size:x}.{found.st_ino:x}"
