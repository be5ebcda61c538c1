"""Who may ask the Prometheus endpoint: basic and bearer authentication from files, and its TLS certificate."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.files.secret_file import SecretFile, SecretFileError, lines, say_if_open, state
from obs_run.process import private_modules
from obs_run.process.unpatched import allocate_lock

if TYPE_CHECKING:
    from ssl import SSLContext

_USERS, _TOKENS = "OBS_PROMETHEUS_USERS_FILE", "OBS_PROMETHEUS_TOKENS_FILE"
_CERTIFICATE, _KEY, _CLIENTS = (
    "OBS_PROMETHEUS_CERTIFICATE", "OBS_PROMETHEUS_KEY", "OBS_PROMETHEUS_CLIENT_CERTIFICATES"
)  # fmt: skip
# The PHC string format, as passlib writes it: the logarithm of the cost, block size, parallelism, salt, hash.
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{22,})")
_OTHER_HASH = re.compile(r"\$[A-Za-z0-9-]{1,20}\$|\{[A-Z0-9-]{3,12}\}")
_MOST_MEMORY = 64 * 1024**2
_MOST_PARALLEL = 16
_WRONG_PEM = "a readable PEM file"


class _Password(NamedTuple):
    """A password of the file: as it is, or its scrypt hash."""

    plain: bytes | None
    cost: int = 0
    block: int = 0
    parallel: int = 0
    salt: bytes = b""
    hashed: bytes = b""


class Access:
    """Decides on an ``Authorization`` header (RFC 7617, RFC 6750); where no file is named everybody may ask."""

    def __init__(self) -> None:
        users, tokens = settings.get(_USERS), settings.get(_TOKENS)
        self._users = SecretFile(_USERS, users, _parse_users) if users else None
        self._tokens = SecretFile(_TOKENS, tokens, _parse_tokens) if tokens else None
        # Digests of one length, by a key that nobody knows, compare in a time that tells nothing.
        self._key = os.urandom(32)
        self._verified: set[bytes] = set()
        self._hashing = allocate_lock()
        for file in (self._users, self._tokens):
            if file is not None:
                file.now()

    def after_fork(self) -> None:
        """In a child process: another thread of the parent may have been hashing."""
        self._hashing = allocate_lock()

    @property
    def asked_for(self) -> bool:
        """Whether those who ask must show something."""
        return self._users is not None or self._tokens is not None

    @property
    def challenges(self) -> list[str]:
        """What to answer to those who did not."""
        basic, bearer = 'Basic realm="metrics", charset="UTF-8"', 'Bearer realm="metrics"'
        return [text for file, text in ((self._users, basic), (self._tokens, bearer)) if file is not None]

    def allows(self, header: str | None) -> bool:
        """Whether ``header`` shows a user and password, or a token, of the files as they are now."""
        if not self.asked_for:
            return True
        scheme, _, shown = (header or "").strip().partition(" ")
        try:
            if scheme.lower() == "basic" and self._users is not None:
                return self._is_user(self._users.now(), shown.strip())
            if scheme.lower() == "bearer" and self._tokens is not None:
                return self._is_token(self._tokens.now(), shown.strip())
        except SecretFileError as problem:
            guard.warn_once(f"{problem}; until it is mended nobody gets metrics with it")
        return False

    def _digest(self, *parts: bytes) -> bytes:
        digest = hashlib.blake2b(key=self._key)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def _is_token(self, tokens: frozenset[bytes], shown: str) -> bool:
        mine = self._digest(shown.encode("utf-8", "surrogatepass"))
        found = False
        for token in tokens:
            found |= hmac.compare_digest(mine, self._digest(token))
        return found

    def _is_user(self, users: dict[bytes, _Password], shown: str) -> bool:
        try:
            user, colon, password = base64.b64decode(shown, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        name = self._digest(user)
        found = _Password(self._key)
        for known, its in users.items():
            found = its if hmac.compare_digest(name, self._digest(known)) else found
        return bool(colon) and self._is_password(found, password)

    def _is_password(self, wanted: _Password, shown: bytes) -> bool:
        if wanted.plain is not None:
            return hmac.compare_digest(self._digest(shown), self._digest(wanted.plain))
        mark = self._digest(shown, wanted.salt, wanted.hashed)
        if mark in self._verified:
            return True
        with self._hashing:  # one at a time: each takes the memory that makes guessing dear
            made = hashlib.scrypt(
                shown, salt=wanted.salt, n=1 << wanted.cost, r=wanted.block, p=wanted.parallel,
                maxmem=_MOST_MEMORY * 2, dklen=len(wanted.hashed),
            )  # fmt: skip
        if not hmac.compare_digest(made, wanted.hashed):
            return False
        # Hashing at each scrape would be a load on the agent.
        self._verified = {mark} if len(self._verified) > 64 else self._verified | {mark}  # noqa: PLR2004 (the bound)
        return True


def _parse_users(text: str) -> dict[bytes, _Password]:
    users = {}
    for number, line in lines(text):
        user, colon, password = line.partition(":")
        if not (user and colon and password):
            raise SecretFileError(f"line {number} is not user:password")
        users[user.encode()] = _password(password, number)
    if not users:
        raise SecretFileError("has no line user:password")
    return users


def _password(text: str, number: int) -> _Password:
    found = _SCRYPT.fullmatch(text)
    if found is None:
        if _OTHER_HASH.match(text):
            raise SecretFileError(f"line {number} has a hash of an unknown kind; the password itself or $scrypt$ln=...")
        return _Password(text.encode())
    cost, block, parallel = (int(found[group]) for group in (1, 2, 3))
    if not (cost and block and 0 < parallel <= _MOST_PARALLEL) or 128 * block << cost > _MOST_MEMORY:
        raise SecretFileError(f"line {number} has a scrypt hash that takes too much to check (64 MiB at most)")
    return _Password(None, cost, block, parallel, _base64(found[4], number), _base64(found[5], number))


def _base64(text: str, number: int) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise SecretFileError(f"line {number} has a scrypt hash that is cut") from None


def _parse_tokens(text: str) -> frozenset[bytes]:
    tokens = set()
    for number, line in lines(text):
        if len(line.split()) != 1:
            raise SecretFileError(f"line {number} is not one token")
        tokens.add(line.encode())
    if not tokens:
        raise SecretFileError("has no token")
    return frozenset(tokens)


class Tls:
    """The endpoint's TLS: its certificate, and whose certificates those who ask must have; renewed with its files."""

    def __init__(self) -> None:
        self._certificate, self._key, self._clients = (settings.get(name) for name in (_CERTIFICATE, _KEY, _CLIENTS))
        if not (self._certificate and self._key):
            missing, there = (_CERTIFICATE, _KEY) if self._key else (_KEY, _CERTIFICATE)
            if not (self._certificate or self._key):
                missing, there = _CERTIFICATE, _CLIENTS
            raise settings.NotAllowedError(f"{missing} is not set, but {there} is")
        self._seen = self._states()
        self._context = self._make()

    @property
    def asks_for_certificates(self) -> bool:
        """Whether those who ask must show a certificate."""
        return self._clients is not None

    def context(self) -> SSLContext:
        """Return the context for the next connection; new files that do not fit leave the old ones in force."""
        states = self._states()
        if states != self._seen:
            self._seen = states
            try:
                self._context = self._make()
            except settings.NotAllowedError as problem:
                guard.warn_once(f"{problem}; the certificate of before stays")
        return self._context

    def _states(self) -> list[object]:
        return [state(path) for path in (self._certificate, self._key, self._clients) if path]

    def _make(self) -> SSLContext:
        ssl = private_modules.load("ssl")  # as the sockets are
        context: SSLContext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # An encrypted key would ask for its password on the agent's terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
        except (OSError, ValueError) as error:
            raise _not_pem(f"{_CERTIFICATE}, {_KEY}", f"{self._certificate}, {self._key}", error) from None
        say_if_open(_KEY, self._key)
        if self._clients:
            try:
                context.load_verify_locations(self._clients)
            except (OSError, ValueError) as error:
                raise _not_pem(_CLIENTS, self._clients, error) from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def tls_or_none() -> Tls | None:
    """Return the endpoint's TLS, None where no setting asks for it; ``settings.NotAllowedError`` if it is half set."""
    return Tls() if any(settings.get(name) for name in (_CERTIFICATE, _KEY, _CLIENTS)) else None


def _not_pem(names: str, paths: str, error: Exception) -> settings.NotAllowedError:
    reason = getattr(error, "strerror", None) or error
    return settings.NotAllowedError(f"{names}: {paths} is not allowed; allowed: {_WRONG_PEM} ({reason})")
