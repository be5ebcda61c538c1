"""How a relay is begun: by the launcher, by ``obsctl relay start``, and by the relay itself for a configuration."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the module typing costs more than the launcher's whole start
if TYPE_CHECKING:
    from typing import NoReturn


_NICE = 10
_MOST_MEMORY = 4 << 30


def supervise(path: str) -> NoReturn:
    """Be the relay of this user until there is nothing to do; at once at an end where another one is."""
    from obs_run.buffer import folder
    from obs_run.relay import supervisor

    folder.make(path)
    supervisor.detach(path)
    descriptor = supervisor.lock(path)
    if descriptor is not None:
        supervisor.Supervisor(path, descriptor, quiet_seconds()).run()
    sys.exit(0)


def work(path: str) -> NoReturn:
    """Be the relay of the agents in one folder."""
    import resource
    from contextlib import suppress

    from obs_run.process import standard_variables
    from obs_run.relay import status, supervisor

    # The agents come first, also on a busy machine.
    os.nice(_NICE)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        # Damaged records may ask for any amount.
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, most))
    supervisor.wait_for_lock(path)  # held to the end of the process
    try:
        with standard_variables.corrected():
            from obs_run.relay.worker import Relay

            Relay(path, quiet_seconds()).run()
    except Exception as error:
        # It is begun again, and somebody may ask why.
        status.write_failure(path, error)
        raise
    sys.exit(0)


def record_run(announcement: str, exit_code: str, signal: str) -> None:
    """Record the run of a process that was killed before it wrote anything; numbers that are not known are "None"."""
    from obs_run.relay import unseen_run

    unseen_run.record(announcement, *(int(word) if word.isdecimal() else None for word in (exit_code, signal)))


def quiet_seconds() -> float:
    """Return how long a relay stays without an agent."""
    from obs_run import settings

    seconds: float = settings.get("OBS_RELAY_SECONDS")
    return seconds


def find_or_begin() -> str | None:
    """Return the folder that the relay of this user reads, begun where none runs; None where there can be none."""
    from obs_run.buffer import folder
    from obs_run.relay import supervisor

    path = folder.chosen()
    if os.getpid() == 1 or not folder.is_memory(path):
        # As the first process of a container the agent would be the relay's parent, and the relay would go with it.
        return None
    folder.make(path)
    if supervisor.running(path) is None:
        _begin(path)
    return path


def _begin(path: str) -> None:
    """Begin a relay that is nobody's child."""
    from obs_run.buffer import configuration

    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        if not os.fork():
            os.execv(sys.executable, [sys.executable, "-I", "-c", _START, configuration.package_folder(), path])  # noqa: S606 (our own)
    finally:
        os._exit(0)


_START = "import sys; sys.path.append(sys.argv[1]); from obs_run.relay.command import supervise; supervise(sys.argv[2])"
