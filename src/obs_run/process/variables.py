"""Single variables of the environment, read and written where settings.py is not worth loading."""

import os

_LONGEST = 3600  # as settings.py has it


def seconds(name: str, default: float) -> float:
    """Return the duration ``name`` as settings.py reads it; what is none counts as the default."""
    try:
        value = float(os.environ.get(name, "").strip() or default)
    except ValueError:
        return default
    return value if 0 <= value <= _LONGEST else default


def add_bootstrap(environ: "dict[str, str]", bootstrap: str) -> None:
    """Add to ``environ`` what makes Python programs start with us; ``bootstrap`` is our folder on PYTHONPATH."""
    path = environ.get("PYTHONPATH")
    if bootstrap not in (path or "").split(os.pathsep):
        environ["PYTHONPATH"] = bootstrap + os.pathsep + path if path else bootstrap
    environ["OBS_RUN"] = bootstrap
