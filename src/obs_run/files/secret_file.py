"""Files of secrets that settings name: read again when they change, never shown, and said when others can read them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Generic, TypeVar

from obs_run.base import guard
from obs_run.base.masking import masked_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
_LARGEST = 1 << 20


class SecretFileError(ValueError):
    """The file cannot be used; the message says why and at which line, never what is in it."""


class SecretFile(Generic[T]):
    """What the file at ``path``, named by ``setting``, means now; ``parse`` raises :class:`SecretFileError`."""

    def __init__(self, setting: str, path: str, parse: Callable[[str], T]) -> None:
        self.setting, self.path = setting, os.path.expanduser(path)  # noqa: PTH111 (pathlib raises without a home)
        self._parse = parse
        self._read: tuple[bytes, T] | None = None

    def now(self) -> T:
        """Return what the file means; :class:`SecretFileError` names the setting, the file and what is wrong."""
        # Read each time, being small: a change within the clock's grain and of the same size would pass unseen.
        try:
            content = self._content()
            if self._read is None or self._read[0] != content:
                self._read = content, self._parse(_text(content))
        except OSError as error:
            raise SecretFileError(
                f"{self.setting}: {masked_path(self.path)} cannot be read ({error.strerror or error})"
            ) from None
        except SecretFileError as problem:
            raise SecretFileError(f"{self.setting}: {self.path} {problem}") from None
        return self._read[1]

    def _content(self) -> bytes:
        # A pipe would wait for its writer.
        descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise SecretFileError("is not a file")
            say_if_open(self.setting, self.path, found.st_mode)
            content = os.read(descriptor, _LARGEST + 1)
        finally:
            os.close(descriptor)
        if len(content) > _LARGEST:
            raise SecretFileError("is larger than 1 MiB")
        return content


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that is neither empty nor a comment (#)."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def say_if_open(setting: str, path: str, mode: int | None = None) -> None:
    """Warn once of a file of secrets that every user of the machine may read or write."""
    said = openness(path, mode)
    if said:
        guard.warn_once(f"{setting}: {said}")


def openness(path: str, mode: int | None = None) -> str | None:
    """Return that every user of the machine may read or write the file, None if not or if there is none."""
    if os.name != "posix":
        return None
    try:
        found = os.stat(os.path.expanduser(path)).st_mode if mode is None else mode  # noqa: PTH111, PTH116 (pathlib is not loaded for this)
    except OSError:
        return None
    if not found & (stat.S_IROTH | stat.S_IWOTH):
        return None
    return f"{path} is open to every user of this machine (mode {stat.S_IMODE(found):04o}); chmod 600 would close it"


def state(path: str) -> object:
    """Return what changes when the file does, None while there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (pathlib is not loaded for this)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise SecretFileError(f"line {number} is not UTF-8") from None
