"""The ids of a run: its trace and span id, known before anything of OpenTelemetry is loaded."""

from __future__ import annotations

import os

from obs_run.process.unpatched import urandom


class Identity:
    """The ids of the run span and of its parent, if a parent process handed one over."""

    __slots__ = ("baggage", "parent_span_id", "sampled", "span_id", "trace_id")

    def __init__(
        self, trace_id: int, span_id: int, parent_span_id: int | None, *, sampled: bool, baggage: str = ""
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.sampled = sampled
        self.baggage = baggage
        """What the parent handed over as W3C ``baggage``."""

    def traceparent(self) -> str:
        """Return the W3C ``traceparent`` that makes the run span a parent."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.sampled:02x}"


def new_identity() -> Identity:
    """Return ids for a run; the environment's TRACEPARENT is the parent, and its BAGGAGE goes along."""
    parent = parse_traceparent(os.environ.get("TRACEPARENT", ""))
    baggage = os.environ.get("BAGGAGE", "").strip()
    if parent is None:
        return new_root_identity(baggage)
    trace_id, parent_span_id, sampled = parent
    if not is_parent_based():
        sampled = root_sampled(trace_id)
    return Identity(trace_id, random_id(8), parent_span_id, sampled=sampled, baggage=baggage)


def new_root_identity(baggage: str = "") -> Identity:
    """Return ids for a run without a parent."""
    trace_id = random_id(16)
    return Identity(trace_id, random_id(8), None, sampled=root_sampled(trace_id), baggage=baggage)


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


def is_parent_based() -> bool:
    """Whether what has a parent is kept where its parent is."""
    return _sampler().startswith("parentbased_")


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
