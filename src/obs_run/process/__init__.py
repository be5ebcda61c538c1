"""This process: the identity of its run, its program, its exits, its forks, what it imports."""

import os


# Here, because a module of its own would cost a start of Python more than all its calls do.
def flag(name: str, *, default: bool) -> bool:
    """Return the flag ``name`` as settings.py reads it; what is no flag counts as the default."""
    word = os.environ.get(name, "").strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    return default and word not in ("0", "false", "no", "off")
