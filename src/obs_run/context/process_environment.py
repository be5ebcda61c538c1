"""The variables that children inherit from this process, which are not those of ``os.environ``.

``os.putenv`` and libraries in C change them beneath it. So children that are given no environment are still given
none: our variables are put where they inherit all others.
"""

from __future__ import annotations

import os
from itertools import starmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_names: set[str] = set()


def put(variables: Mapping[str, str]) -> None:
    """Have the child that is started next inherit ``variables``, and none of those that were for an earlier one."""
    for name in _names.difference(variables):
        _names.discard(name)
        own = os.environ.get(name)
        if own is None:
            os.unsetenv(name)
        else:
            os.putenv(name, own)
    _names.update(variables)
    # No loop of Python's, in which another thread could come between this and the start of the child.
    list(starmap(os.putenv, variables.items()))


def add(entries: list[bytes], variables: Mapping[str, str]) -> None:
    """Add variables to an environment as the system takes it, ``name=value``, in place of those of their names."""
    for name, value in variables.items():
        prefix = os.fsencode(name) + b"="
        entries[:] = [entry for entry in entries if not entry.startswith(prefix)]
        entries.append(prefix + os.fsencode(value))
