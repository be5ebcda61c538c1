"""The identity of this process's run: its trace and span id, known before anything of OpenTelemetry is loaded."""

from __future__ import annotations

import os

from obs_run.process import fork
from obs_run.process.unpatched import getpid, steady_ns, time, urandom

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable


class Identity:
    """The ids of the run span and of its parent, if a parent process handed one over."""

    __slots__ = ("parent_span_id", "sampled", "span_id", "trace_id")

    def __init__(self, trace_id: int, span_id: int, parent_span_id: int | None, *, sampled: bool) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.sampled = sampled

    def traceparent(self) -> str:
        """Return the W3C ``traceparent`` that makes the run span a parent."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.sampled:02x}"


class _Run:
    """What is known of the run of this process."""

    def __init__(self) -> None:
        self.started_ns = time.time_ns()
        self.begun = steady_ns()
        self.starting_pid: int | None = None
        """The process in which the run began; a forked child goes on in its parent's run."""
        self.identity: Identity | None = None
        # Two threads may ask at once and must get the same; a lock would be one more that a fork can break.
        self.first: dict[str, Identity] = {}
        self.is_enabled: bool | None = None
        self.records_servers = False
        self.is_owned = True
        self.on_required: Callable[[], object] | None = None


_run = _Run()


def note_start() -> None:
    """Remember that the run begins now."""
    _run.started_ns = time.time_ns()
    _run.begun = steady_ns()
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
    from obs_run.process import program

    if not hasattr(program, "describe"):
        # A signal handler of the agent that interrupted this very import; the next call knows.
        return False
    if _run.is_enabled is None:
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


def identity() -> Identity:
    """Return the run's identity, made at the first call; the environment's TRACEPARENT is the parent."""
    if _run.identity is None:
        _run.identity = _run.first.setdefault("", _new_identity())
    return _run.identity


def _new_identity() -> Identity:
    parent = parse_traceparent(os.environ.get("TRACEPARENT", ""))
    if parent is None:
        trace_id = random_id(16)
        return Identity(trace_id, random_id(8), None, sampled=root_sampled(trace_id))
    trace_id, parent_span_id, sampled = parent
    if not _sampler().startswith("parentbased_"):
        sampled = root_sampled(trace_id)
    return Identity(trace_id, random_id(8), parent_span_id, sampled=sampled)


def identity_or_none() -> Identity | None:
    """Return the run's identity if it has been made."""
    return _run.identity


def is_owned() -> bool:
    """Whether the run span is this process's own to export."""
    return _run.is_owned and _run.identity is not None and enabled()


def has_parent_for_all() -> bool:
    """Whether what has no parent of its own belongs under a run span, ours or the one of a parent process."""
    return (not _run.is_owned and _run.identity is not None) or enabled()


def adopt(traceparent: str) -> None:
    """Put what this process does under a span of its parent process; there is no run span of our own then."""
    parent = parse_traceparent(traceparent)
    if parent is not None:
        trace_id, span_id, sampled = parent
        _run.identity = Identity(trace_id, span_id, None, sampled=sampled)
        _run.is_owned = False


def begin_next_trace() -> None:
    """Begin another run span, in a trace of its own, in this process."""
    note_start()
    trace_id = random_id(16)
    _run.identity = Identity(trace_id, random_id(8), None, sampled=root_sampled(trace_id))


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


def when_required(callback: Callable[[], object]) -> None:
    """Say what makes sure that the run span is exported."""
    _run.on_required = callback


def require() -> None:
    """Make sure that the run span is exported even if nothing else is: a child process was given its id."""
    identity()
    if _run.on_required is not None:
        _run.on_required()


def parse_traceparent(text: str) -> tuple[int, int, bool] | None:
    """Return trace id, span id and the sampled flag of a W3C ``traceparent``, or None if it is not one."""
    fields = text.strip().split("-")
    if len(fields) < 4 or len(fields[0]) != 2 or fields[0] == "ff":  # noqa: PLR2004 (the format's field count)
        return None
    try:
        trace_id, span_id, flags = int(fields[1], 16), int(fields[2], 16), int(fields[3], 16)
    except ValueError:
        return None
    if not trace_id or not span_id or (len(fields[1]), len(fields[2])) != (32, 16):
        return None
    return trace_id, span_id, bool(flags & 1)


def random_id(size: int) -> int:
    """Return an id of ``size`` bytes."""
    # os.urandom needs no seeding after a fork and leaves the agent's random numbers as they were.
    return int.from_bytes(urandom(size), "big") or 1


def _sampler() -> str:
    """Return the sampler's name as settings.py reads it."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    is_allowed = name.removeprefix("parentbased_") in ("always_on", "always_off", "traceidratio")
    return name if is_allowed else "parentbased_always_on"


def root_sampled(trace_id: int) -> bool:
    """Decide as the standard samplers do for a root span, so that children agree with the span made later."""
    root = _sampler().removeprefix("parentbased_")
    if root != "traceidratio":
        return root == "always_on"
    try:
        ratio = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or 1)
    except ValueError:
        return True
    if not 0 <= ratio <= 1:
        return True
    mask = (1 << 64) - 1
    return (trace_id & mask) < round(ratio * (mask + 1))
