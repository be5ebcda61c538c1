"""What a verification may find."""

from __future__ import annotations


class TamperedError(Exception):
    """The first place that is wrong, and what is wrong there, in one line."""


class NeedsKeyError(Exception):
    """The trail was written with a key and none was given; the message is the key's id."""
