"""The run of this process: when it began, whether it has a span, and whose that is; its ids come when needed."""

import os

from obs_run.process import fork
from obs_run.process.unpatched import getpid, steady_ns, time

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.process.identity import Identity


class _Run:
    """What is known of the run of this process."""

    def __init__(self) -> None:
        self.started_ns = time.time_ns()
        self.begun = steady_ns()
        self.starting_pid: int | None = None
        """The process in which the run began; a forked child goes on in its parent's run."""
        self.identity: Identity | None = None
        self.previous: Identity | None = None
        # Two threads may ask at once and must get the same; a lock would be one more that a fork can break.
        self.first: dict[str, Identity] = {}
        self.is_enabled: bool | None = None
        self.records_servers = False
        self.is_owned = True
        self.on_required: Callable[[], object] | None = None


_run = _Run()


def note_start(started_ns: "int | None" = None) -> None:
    """Remember that the run begins now, or began at ``started_ns``, nanoseconds since 1970."""
    now = time.time_ns()
    _run.started_ns = now if started_ns is None else started_ns
    _run.begun = steady_ns() - (now - _run.started_ns)
    if _run.starting_pid is None:
        _run.starting_pid = getpid()


def started_ns() -> int:
    """Return when the run, or the part of it that goes on, began: nanoseconds since 1970."""
    return _run.started_ns


def now_ns() -> int:
    """Return the time that it is, as many nanoseconds after the beginning as a steady clock says."""
    return _run.started_ns + steady_ns() - _run.begun


def is_starting_process() -> bool:
    """Whether obs-run was started in this very process, and not in one that forked it."""
    return getpid() == _run.starting_pid


def is_started() -> bool:
    """Whether obs-run was started here, and the agent does not only write telemetry with our API."""
    return _run.starting_pid is not None


def enabled() -> bool:
    """Whether this process has a run span: a script by default, a server or a multiprocessing worker never."""
    if _run.starting_pid is None:
        # An agent that nobody launched, and that only writes telemetry with our API.
        return False
    if _run.is_enabled is None:
        from obs_run.process import identity, program

        if any(getattr(module.__spec__, "_initializing", False) for module in (identity, program)):
            # A signal handler of the agent that interrupted these very imports; the next call knows.
            return False
        wanted = os.environ.get("OBS_RUN_SPAN", "").strip().lower() not in ("0", "false", "no", "off")
        running = program.describe()
        # With a configuration file the providers are not ours, and nothing takes a span with an id of our choice.
        foreign = bool(os.environ.get("OTEL_CONFIG_FILE", "").strip())
        has_run = running.kind != "multiprocessing" and (_run.records_servers or not running.server)
        _run.is_enabled = wanted and not foreign and has_run
    return _run.is_enabled


def record_server() -> None:
    """Have a server's run recorded, too: it ends with a failure, which belongs to no request."""
    _run.records_servers, _run.is_enabled = True, None


def identity() -> "Identity":
    """Return the run's identity, made at the first call; the environment's TRACEPARENT is the parent."""
    if _run.identity is None:
        from obs_run.process.identity import new_identity

        _run.identity = _run.first.setdefault("", new_identity())
    return _run.identity


def identity_or_none() -> "Identity | None":
    """Return the run's identity if it has been made."""
    return _run.identity


def previous() -> "Identity | None":
    """Return the identity of the run's part before this one, None in the first."""
    return _run.previous


def is_owned() -> bool:
    """Whether the run span is this process's own to export."""
    return _run.is_owned and _run.identity is not None and enabled()


def has_parent_for_all() -> bool:
    """Whether what has no parent of its own belongs under a run span, ours or the one of a parent process."""
    return (not _run.is_owned and _run.identity is not None) or enabled()


def adopt(traceparent: str, baggage: str = "") -> None:
    """Put what this process does under a span of its parent process; there is no run span of our own then."""
    from obs_run.process import identity

    parent = identity.parse_traceparent(traceparent)
    if parent is not None:
        trace_id, span_id, sampled = parent
        _run.identity = identity.Identity(trace_id, span_id, None, sampled=sampled, baggage=baggage)
        _run.is_owned = False


def begin_next_trace() -> None:
    """Begin another run span, in a trace of its own, in this process."""
    from obs_run.process.identity import new_root_identity

    note_start()
    baggage = "" if _run.identity is None else _run.identity.baggage
    _run.previous = _run.identity
    _run.identity = new_root_identity(baggage)


def watch_forks() -> None:
    """Have children go on in this run."""
    fork.register(fork.RUN, "run", before=_before_fork, in_parent=_after_fork_in_parent, in_child=_after_fork_in_child)


def _before_fork() -> None:
    # Before the child has them, so that both have the same.
    if _run.is_owned and enabled():
        identity()


def _after_fork_in_parent() -> None:
    # Only now: modules loaded amid a fork would miss its first half.
    if _run.is_owned and enabled():
        require()


def _after_fork_in_child() -> None:
    if _run.identity is not None:
        _run.is_owned = False


def when_required(callback: "Callable[[], object]") -> None:
    """Say what makes sure that the run span is exported."""
    _run.on_required = callback


def require() -> None:
    """Make sure that the run span is exported even if nothing else is: a child process was given its id."""
    identity()
    if _run.on_required is not None:
        _run.on_required()
