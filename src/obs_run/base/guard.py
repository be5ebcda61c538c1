"""The one failure guard: what goes wrong inside obs-run is said once per place and never reaches the agent."""

import sys

TYPE_CHECKING = False  # the module typing costs more than all that happens at a process's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_ROOM_TO_LOG = 200
_said: "set[str]" = set()
_failures: "set[str]" = set()
_meant_for_agent: "list[type[Exception]]" = []

# How modules of the standard library are imported here; the last one counts. Each class costs a start of Python as much
# as half a module.
_load: "list[Callable[[str], Any]]" = [__import__]


def import_with(load: "Callable[[str], Any]") -> None:
    """Have ``load`` import what is needed to say something."""
    _load.append(load)


def warn(text: str) -> None:
    """Write one warning line to logger ``obs_run``."""
    _log(text)


def warn_once(text: str, about: "str | None" = None) -> None:
    """Write one warning line to logger ``obs_run``, the first time that this text (or what it is about) is given."""
    if (about or text) not in _said:
        _said.add(about or text)
        _log(text)


def let_pass(kind: "type[Exception]") -> None:
    """Have no guard hold back exceptions of a class: the user asked us to raise them into the agent."""
    _meant_for_agent.append(kind)


def is_meant_for_agent(error: "BaseException") -> bool:
    """Whether ``error`` is of a class that is let pass."""
    return isinstance(error, tuple(_meant_for_agent))


def failed(site: str, error: "BaseException") -> None:
    """Say that our code at ``site`` failed, once for each site and kind of error; ``error`` is being handled."""
    try:
        if is_meant_for_agent(error):
            raise error
        pass_on_thrown_in(error)
        is_full = isinstance(error, RecursionError)
        # Where the stack has no room, it has none for most of ours; that is one thing to say.
        key = "RecursionError" if is_full else f"{site}: {type(error).__qualname__}"
        if key not in _failures:
            _failures.add(key)
            text = f"{site} failed and was skipped: {type(error).__name__}: {shown(error)}"
            if is_full:
                _log_on_full_stack(text)
            else:
                _log(text, error)
    finally:
        # An error that a frame of its own traceback refers to lives on until the garbage collector finds both, and
        # with them the agent's objects on that stack.
        del error


def pass_on_thrown_in(error: "BaseException") -> None:
    """Raise ``error`` again if a signal handler of the agent, or another thread, threw it into our code."""
    try:
        from obs_run.base.thrown_in import is_thrown_in

        is_agents = is_thrown_in(error, _load[-1]("opcode").opname)
    except Exception:  # noqa: BLE001 (this is the guard)
        is_agents = False
    try:
        if is_agents:
            raise error
    finally:
        del error  # see ``failed``


def has_failed() -> bool:
    """Whether anything of ours failed in this process; then nothing may be asked for that must be hidden again."""
    return bool(_failures)


def call(site: str, function: "Callable[..., T]", *args: "Any", default: "Any" = None, **kwargs: "Any") -> "T | Any":
    """Return ``function(*args, **kwargs)``, or ``default`` if it raises; the failure is said once per site."""
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 (this is the guard)
        failed(site, error)
        return default


def shown(value: object) -> str:
    """Return ``str(value)``; an agent's objects, exceptions included, may refuse to be shown."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 (this is the guard)
        pass_on_thrown_in(error)
        return f"<{type(value).__name__} that cannot be shown>"


def _log(text: str, error: "BaseException | None" = None) -> None:
    # Nothing may come out of here: logging itself can be broken, half imported or shut down.
    try:
        logging = _load[-1]("logging")

        from obs_run.base.masking import masked

        text = masked(text)
        logger = logging.getLogger("obs_run")
        logger.warning("%s", text)
        if error is not None and logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s", text, exc_info=error)
    except Exception:  # noqa: BLE001, S110 (this is the guard)
        pass


def _log_on_full_stack(text: str) -> None:
    """Write a line where the agent's limit leaves none of the stack for it."""
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(limit + _ROOM_TO_LOG)
    except (RecursionError, ValueError, OverflowError):
        return
    try:
        _log(text)
    finally:
        sys.setrecursionlimit(limit)
