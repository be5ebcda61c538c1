"""``obsctl hash-password``: a line for OBS_PROMETHEUS_USERS_FILE that does not give the password away."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from typing import TYPE_CHECKING

from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse

_LOGARITHM, _BLOCK, _PARALLEL = 15, 8, 1  # 32 MiB and some 0.1 s for each guess


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("user", help="the user's name; the password is asked for, or read from standard input")


def run(args: argparse.Namespace) -> int:
    """Print the line."""
    if not args.user or ":" in args.user or args.user.strip() != args.user or args.user.startswith("#"):
        raise Mistake("a user's name has no colon, no space around it, and does not begin with #")
    if sys.stdin.isatty():
        from getpass import getpass

        password = getpass()
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Mistake("no password was given")
    print(f"{args.user}:{hashed(password.encode())}")
    return 0


def hashed(password: bytes) -> str:
    """Return the scrypt hash of ``password`` as a PHC string (which passlib makes and reads, too)."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(
        password, salt=salt, n=1 << _LOGARITHM, r=_BLOCK, p=_PARALLEL, maxmem=256 * _BLOCK << _LOGARITHM, dklen=32
    )
    return f"$scrypt$ln={_LOGARITHM},r={_BLOCK},p={_PARALLEL}${_base64(salt)}${_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
