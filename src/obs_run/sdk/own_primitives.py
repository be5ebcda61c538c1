"""Locks and random numbers of OpenTelemetry's SDK, where our threads and the agent's greenlets meet in them.

A lock of gevent's or eventlet's is not for two of the system's threads. Nothing in the SDK gives way to another
greenlet while it holds one, so a real one serves greenlets too.
"""

from __future__ import annotations

import random
import sys
import threading
from typing import Any

from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from obs_run.base import guard
from obs_run.process import run, unpatched
from obs_run.process.identity import random_id

_PACKAGES = ("opentelemetry.sdk.", "opentelemetry.attributes", "opentelemetry.metrics.", "prometheus_client.")
_REAL = {"Lock": unpatched.allocate_lock, "RLock": unpatched.RLock}


class SystemIdGenerator(IdGenerator):
    """Makes ids from the system's randomness: the agent's numbers stay as they were, and equal seeds differ here."""

    def generate_span_id(self) -> int:
        """Return a span id."""
        return guard.call("ids", random_id, 8) or _OTHERWISE.generate_span_id()

    def generate_trace_id(self) -> int:
        """Return a trace id."""
        return guard.call("ids", random_id, 16) or _OTHERWISE.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        """Return True: all of its bits are."""
        return True


_OTHERWISE = RandomIdGenerator()


class _AsWithoutRun(RandomIdGenerator):
    """Takes as many of the agent's random numbers as without a run span: a span without a parent takes two."""

    def generate_span_id(self) -> int:
        """Return a span id."""
        # The SDK asks for ids in the midst of ``start_span``, and says nothing of the span.
        parent = sys._getframe(1).f_locals.get("parent_span_context")  # noqa: SLF001 (public but for its name)
        identity = run.identity_or_none()
        if parent is not None and identity is not None and parent.span_id == identity.span_id:
            self.generate_trace_id()
        return super().generate_span_id()


def keep_numbers_of(provider: Any) -> None:
    """Have a provider of the agent's take the random numbers that it takes without us."""
    generator = getattr(provider, "id_generator", None)
    if type(generator) is RandomIdGenerator:
        generator.__class__ = _AsWithoutRun


def use_own_ids(tracer: Any) -> None:
    """Have a tracer of ours make such ids on a provider of the agent's too, unless that has a generator of its own."""
    if type(getattr(tracer, "id_generator", None)) in (RandomIdGenerator, _AsWithoutRun):
        tracer.id_generator = SystemIdGenerator()


def use_real_locks() -> None:
    """Give the SDK's modules real locks for what they make from now on, where a scheduler replaced Python's."""
    if not unpatched.are_locks_replaced():
        return
    for name, module in tuple(sys.modules.items()):
        if name.startswith(_PACKAGES):
            for attribute, real in _REAL.items():
                if hasattr(module, attribute):
                    setattr(module, attribute, real)
            if getattr(module, "threading", None) is threading:
                module.threading = _threading  # type: ignore[attr-defined]


def use_own_random_numbers() -> None:
    """Have the SDK choose its exemplars with random numbers that are not the agent's."""
    name = "opentelemetry.sdk.metrics._internal.exemplar.exemplar_reservoir"
    module: Any = sys.modules.get(name)
    if getattr(module, "randrange", None) == random.randrange:
        module.randrange = random.Random().randrange  # noqa: S311 (a choice of examples)


class _Threading:
    """The module ``threading`` with real locks."""

    Lock = staticmethod(unpatched.allocate_lock)
    RLock = unpatched.RLock

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


_threading: Any = _Threading()
