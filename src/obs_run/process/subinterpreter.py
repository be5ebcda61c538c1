"""Whether this is an interpreter that the agent made inside its process, beside the one that Python started."""

import _signal


def is_current() -> bool:
    """Whether we run in such an interpreter; asked in the thread that starts an interpreter, as ``site`` does."""
    try:
        # Python looks first who asks, and refuses all but the main thread of the main interpreter.
        _signal.signal(0, _signal.SIG_DFL)
    except ValueError as refusal:
        return "main interpreter" in str(refusal)
    return False
