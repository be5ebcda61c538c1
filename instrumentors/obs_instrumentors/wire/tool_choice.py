"""Whether a request leaves it to the model to ask for a tool, whoever's wire format it is."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload

_FREE = ("auto", "none")


def is_forced(choice: Any) -> bool:
    """Whether the model must ask for a tool; ``choice`` is a word, or an object that names a tool or a mode."""
    if choice is None:
        return False
    word = payload.as_text(choice) or payload.get_text(choice, "type")
    if word == "allowed_tools":
        # The tools among which the model may choose, in an object of their own or not.
        choice = payload.coalesce(payload.get(choice, "allowed_tools"), choice)
        word = payload.get_text(choice, "mode")
    return word is None or word.lower() not in _FREE
