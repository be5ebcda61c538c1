"""Starts obs-run in a Python process, then makes way for the sitecustomize that the user may have.

It must parse on any Python, because PYTHONPATH reaches every interpreter below the agent.
"""

import os
import sys


def _start():
    if sys.version_info < (3, 10) or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return
    try:
        from obs_run.launch.start import start

        start("sitecustomize")
    except Exception as error:  # this interpreter has no obs-run, or another: the program runs without
        if os.environ.get("OBS_VERBOSE", "").strip().lower() in ("1", "true", "yes", "on"):
            sys.stderr.write("obs-run: not started in %s: %s\n" % (sys.executable, error))


_start()

_folder = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [_entry for _entry in sys.path if _entry != _folder]
_ours = sys.modules.pop(__name__)

# Without one of the user's this raises ImportError, which `site` takes for "there is none", as it does without us.
try:
    import sitecustomize  # noqa: F401
except BaseException as _error:
    # As if it had been imported by `site` itself.
    if hasattr(_error, "__traceback__"):
        _error.__traceback__ = _error.__traceback__.tb_next
    raise
