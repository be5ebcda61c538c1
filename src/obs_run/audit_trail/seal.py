"""The hash that seals an entry: SHA-256, or HMAC-SHA256 where there is a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from obs_run.base.masking import masked_path

if TYPE_CHECKING:
    from pathlib import Path

PLAIN, KEYED = "sha256", "hmac-sha256"
_KEY_ID = b"obs-run audit key\0"
_KEY_ID_DIGITS = 16


class KeyFileError(Exception):
    """The key file gives no key; the message says why."""


class Seal:
    """Makes hashes with ``key``, or without one."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self.algorithm = PLAIN if key is None else KEYED
        # Tells keys apart without giving one away.
        self.key_id = None if key is None else hashlib.sha256(_KEY_ID + key).hexdigest()[:_KEY_ID_DIGITS]

    def hash(self, data: bytes) -> str:
        """Return the hash of ``data`` as 64 hexadecimal digits."""
        if self._key is None:
            return hashlib.sha256(data).hexdigest()
        return hmac.digest(self._key, data, "sha256").hex()


def read_key(path: Path) -> bytes:
    """Return the key that the file holds: its bytes without line ends and spaces around them."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise KeyFileError(f"the key file {masked_path(str(path))} cannot be read: {error.strerror}") from None
    if not key:
        raise KeyFileError(f"the key file {path} is empty")
    return key


def by_key(*keys: bytes) -> dict[str | None, Seal]:
    """Return the seals that can be checked with ``keys``, by the id of the key; None is the one without."""
    return {seal.key_id: seal for seal in (Seal(), *map(Seal, keys))}
