"""Where the local store is, and the folder of what obs-run keeps for the user."""

from __future__ import annotations

import os
from pathlib import Path

from obs_run import settings


def default_path() -> Path:
    """Return the file that OBS_STORE_FILE names, else ``obs-run/store.db`` in the user's data folder."""
    named = settings.get("OBS_STORE_FILE")
    if named:
        return absolute(named)
    return own_path()


def own_path() -> Path:
    """Return the file that is the local store where OBS_STORE_FILE names no other."""
    return data_folder() / "store.db"


def data_folder() -> Path:
    """Return the folder ``obs-run`` in the user's data folder."""
    data = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):  # noqa: PTH117 (the XDG specification: a relative path is ignored)
        data = os.path.join(os.path.expanduser("~"), ".local", "share")  # noqa: PTH111, PTH118 (as above)
    return Path(data, "obs-run")


def absolute(path: Path | str) -> Path:
    """Return ``path`` with the user's home filled in, independent of the working directory."""
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 (pathlib raises without a home)
