"""What the commands raise for what the user got wrong."""

from __future__ import annotations


class Mistake(Exception):  # noqa: N818 (it is the user's)
    """The user asked for something that cannot be; the message is the one line that they see."""
