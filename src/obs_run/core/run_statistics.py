"""What is counted of a run while it goes on: steps, calls, tokens, and how long it waited for models.

Calls begin and end in any thread. While the lock is held nothing of the agent's runs, only a few additions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core import semconv
from obs_run.core.call_patterns import CallPatterns
from obs_run.process import fork
from obs_run.process.unpatched import RLock

if TYPE_CHECKING:
    from decimal import Decimal

_NANO = 1e-9


class _Guarding:
    """The lock of all statistics; it may be taken again by a signal handler that records a call itself."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """In a child process: another thread of the parent may have held it."""
        self.lock = RLock()


_guarding = _Guarding()
fork.register(fork.QUEUE, "run statistics", in_child=_guarding.renew)


class RunStatistics:
    """The counts of one run, of all that happens inside of it."""

    __slots__ = (
        "_model_ns",
        "_patterns",
        "_waiting",
        "_waiting_since",
        "cost",
        "exceeded",
        "input_tokens",
        "model_calls",
        "output_tokens",
        "steps",
        "tool_calls",
        "unknown_usage",
    )

    def __init__(self) -> None:
        self.steps = 0
        """What the framework tells of as steps, and the model calls that are not inside of any."""
        self.model_calls = 0
        self.tool_calls = 0
        self.input_tokens: int | None = None
        """None, which is not 0, while nothing is known."""
        self.output_tokens: int | None = None
        self.unknown_usage = 0
        """Model calls that told no tokens."""
        self.cost: Decimal | None = None
        """US dollars; known only while a budget asks for them."""
        self.exceeded: list[str] = []
        """The budgets that have been exceeded."""
        self._patterns: CallPatterns | None = None
        self._waiting = 0
        self._waiting_since = 0
        self._model_ns = 0

    def begin_step(self) -> None:
        """Count a step."""
        with _guarding.lock:
            self.steps += 1

    def begin_model_call(self, now: int, *, is_step: bool) -> None:
        """Count a model call that begins now, by ``perf_counter_ns``."""
        with _guarding.lock:
            self.model_calls += 1
            self.steps += is_step
            if not self._waiting:
                self._waiting_since = now
            self._waiting += 1

    def end_model_call(self, now: int, input_tokens: int | None, output_tokens: int | None) -> None:
        """Add what a model call used that is over now; some servers write -1 for what they do not know."""
        with _guarding.lock:
            self._waiting -= 1
            if not self._waiting:
                self._model_ns += now - self._waiting_since
            self._add_tokens(input_tokens, output_tokens)

    def add_usage(self, input_tokens: int | None, output_tokens: int | None) -> None:
        """Add what was used besides the model calls that are seen."""
        with _guarding.lock:
            self._add_tokens(input_tokens, output_tokens)

    def _add_tokens(self, input_tokens: int | None, output_tokens: int | None) -> None:
        if input_tokens is not None and input_tokens >= 0:
            self.input_tokens = (self.input_tokens or 0) + input_tokens
        if output_tokens is not None and output_tokens >= 0:
            self.output_tokens = (self.output_tokens or 0) + output_tokens

    def begin_tool_call(self) -> None:
        """Count a call of a tool."""
        with _guarding.lock:
            self.tool_calls += 1

    def end_tool_call(self, name: str, identity: int | None) -> None:
        """Look whether a tool's call, which is over, has been there before."""
        with _guarding.lock:
            if self._patterns is None:
                self._patterns = CallPatterns()
            self._patterns.add(name, identity)

    def add_unknown_usage(self) -> None:
        """Count a model call that told no tokens."""
        with _guarding.lock:
            self.unknown_usage += 1

    def add_cost(self, dollars: Decimal) -> None:
        """Add what a model call cost."""
        with _guarding.lock:
            self.cost = dollars if self.cost is None else self.cost + dollars

    def exceed(self, budget: str) -> bool:
        """Note that a budget has been exceeded; return whether that is new."""
        with _guarding.lock:
            if budget in self.exceeded:
                return False
            self.exceeded.append(budget)
            return True

    def attributes(self, now: int, duration: float) -> dict[str, Any]:
        """Return the counts under their attribute names as the run, which took ``duration`` seconds, ends.

        What there was none of is left out: what is not instrumented is not seen.
        """
        with _guarding.lock:
            patterns = self._patterns or CallPatterns()
            model_ns = self._model_ns + (now - self._waiting_since if self._waiting else 0)
        counts: dict[str, Any] = {
            semconv.OBS_RUN_STEPS: self.steps,
            semconv.OBS_RUN_MODEL_CALLS: self.model_calls,
            semconv.OBS_RUN_TOOL_CALLS: self.tool_calls,
            semconv.OBS_RUN_REPEATED_TOOL_CALLS: patterns.repeated,
            semconv.OBS_RUN_LOOPS: patterns.loops,
            semconv.OBS_RUN_LOOP_TOOLS: list(patterns.loop),
            semconv.OBS_RUN_UNKNOWN_USAGE: self.unknown_usage,
            semconv.OBS_RUN_EXCEEDED_BUDGETS: list(self.exceeded),
        }
        attributes = {name: value for name, value in counts.items() if value}
        if self.model_calls:
            waited = min(duration, model_ns * _NANO)
            attributes[semconv.OBS_RUN_MODEL_TIME] = waited
            attributes[semconv.OBS_RUN_OWN_TIME] = duration - waited
        return attributes


class Around(NamedTuple):
    """A run around something, and the tool of its that this is a part of."""

    recording: Any
    statistics: RunStatistics
    tool_name: str | None
