"""What the commands raise for what the user got wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEAR = 0.75
_CHOICE = re.compile(r"(.*invalid choice: '(.*)') \(choose from (.*)\)")
_UNRECOGNIZED = re.compile(r"(unrecognized arguments: (--[\w-]+).*)")


class Mistake(Exception):  # noqa: N818 (it is the user's)
    """The user asked for something that cannot be; the message is the one line that they see."""


def mend(message: str, options: Iterable[str]) -> str:
    """Return what argparse says of a wrong word, with the nearest right one."""
    choice, unrecognized = _CHOICE.fullmatch(message), _UNRECOGNIZED.fullmatch(message)
    if choice:
        near = nearest(choice[2], (word.strip("' ") for word in choice[3].split(",")))
        return f"{choice[1]}; did you mean {near!r}?" if near else message
    if unrecognized:
        near = nearest(unrecognized[2], options)
        return f"{unrecognized[1]}; did you mean {near}?" if near else message
    return message


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return which of ``words`` is nearly ``word``, None if none is."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(words), 1, _NEAR)
    return near[0] if near else None
