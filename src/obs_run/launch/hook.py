"""A second way into a process, installed on demand: for children that drop PYTHONPATH (-I, -E, a new environment)."""

from __future__ import annotations

import os
import sysconfig

_NAME = "obs_run_hook"
_MODULE = f"_{_NAME}"

_CODE = '''\
"""Starts obs-run in processes below one that obs-run started (written by obsctl install-hook)."""


def start():
    import os

    if not os.environ.get("OBS_RUN"):
        return
    try:
        from obs_run.launch.start import start

        start("hook")
    except Exception:  # obs-run was removed, the hook was not: the program runs without
        pass
'''


def install() -> list[str]:
    """Write the hook into this interpreter's site-packages and return the files written."""
    files = {
        f"{_MODULE}.py": _CODE,
        f"{_NAME}.pth": f"import {_MODULE}; {_MODULE}.start()\n",
        # From Python 3.15 on (PEP 829) this stands for the line above, which 3.18 will no longer run.
        f"{_NAME}.start": f"{_MODULE}:start\n",
    }
    written = []
    for name, text in files.items():
        path = os.path.join(_folder(), name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        written.append(path)
    return written


def uninstall() -> list[str]:
    """Remove the hook and return the files removed."""
    removed = installed()
    for path in removed:
        os.remove(path)
    return removed


def installed() -> list[str]:
    """Return the hook's files that are there."""
    paths = [os.path.join(_folder(), name) for name in (f"{_MODULE}.py", f"{_NAME}.pth", f"{_NAME}.start")]
    return [path for path in paths if os.path.exists(path)]


def _folder() -> str:
    return sysconfig.get_path("purelib")
