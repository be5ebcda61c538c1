"""``obsctl view``: the recorded traces in a browser, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.cli import terminal
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse

    from obs_run.view.source import Source

_PORT = 8321
_LEAST_TOKEN = 16


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
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if args.port is not None and not 1 <= args.port < 1 << 16:
        raise Mistake(f"--port {args.port} is not a port: 1 to 65535")
    token = secrets.token_urlsafe(24) if args.token_file is None else _kept_token(args.token_file)
    try:
        from obs_run.view import server
    except ImportError as error:
        raise Mistake(f"view needs {error.name}: pip install 'obs-run[view]'") from None
    source = _source(args)
    try:
        listener = server.listen(args.port or _PORT, fixed=args.port is not None)
    except OSError as error:
        raise Mistake(f"--port {args.port} cannot be listened on: {error.strerror}") from None
    address = f"http://{server.HOST}:{listener.getsockname()[1]}/?token={token}"

    def tell() -> None:
        print(f"{source.name}: {address}", flush=True)
        if args.open:
            import webbrowser

            webbrowser.open(address)

    server.serve(source, token, listener, tell)
    return 0


def _kept_token(path: Path) -> str:
    """Return the token in a file; a new one is written into a file that only the user may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = _read_token(path)
        if len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise Mistake(f"--token-file {path}: a token is {_LEAST_TOKEN} or more printable characters") from None
        return token
    except OSError as error:
        raise Mistake(f"--token-file {path} cannot be made: {error.strerror}") from None
    token = secrets.token_urlsafe(24)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise Mistake(f"--token-file {path} cannot be read: {error.strerror}") from None


def _source(args: argparse.Namespace) -> Source:
    from obs_run.store.location import absolute, default_path
    from obs_run.store.reader import Reader
    from obs_run.view.source import Source

    path = default_path() if args.store is None else absolute(args.store)
    # The write-ahead log is what changes with every batch.
    files = (path, path.with_name(path.name + "-wal"))

    def version() -> str:
        return "-".join(_stamp(file) for file in files)

    with Reader(path):
        pass  # where it cannot be read that is said now, not on the page
    return Source(lambda: Reader(path), str(path), version)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns:x}.{found.st_size:x}.{found.st_ino:x}"
