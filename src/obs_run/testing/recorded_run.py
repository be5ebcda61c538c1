"""What an agent did, as a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core import semconv
from obs_run.telemetry.records import Usage
from obs_run.telemetry.summary import is_error, summary
from obs_run.telemetry.totals import CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.telemetry.records import LogLine, Span

_TOOL = "execute_tool"
_AGENT = "invoke_agent"


class RecordedRun:
    """Spans and log lines of a run, and what is asked of them most; everything in the order in which it began."""

    def __init__(self, spans: Sequence[Span], logs: Sequence[LogLine] = ()) -> None:
        self._spans, self._logs = sorted(spans, key=lambda span: span.start_ns), list(logs)

    @property
    def spans(self) -> list[Span]:
        """The spans."""
        return self._spans

    @property
    def logs(self) -> list[LogLine]:
        """The log lines."""
        return self._logs

    @property
    def model_calls(self) -> list[Span]:
        """The calls of models."""
        return [span for span in self.spans if span.model is not None and span.operation not in CONTAINERS]

    @property
    def models(self) -> list[str]:
        """The model of each call."""
        return [span.model or "" for span in self.model_calls]

    @property
    def tool_calls(self) -> list[Span]:
        """The tools that were run."""
        return [span for span in self.spans if span.operation == _TOOL]

    @property
    def tools(self) -> list[str]:
        """The name of each tool that was run."""
        return [span.tool or span.name for span in self.tool_calls]

    @property
    def agents(self) -> list[str]:
        """The name of each agent that was asked."""
        return [span.agent or span.name for span in self.spans if span.operation == _AGENT]

    @property
    def input_tokens(self) -> int:
        """The tokens that models read; 0 where nothing is known."""
        return self._summed.input_tokens or 0

    @property
    def output_tokens(self) -> int:
        """The tokens that models wrote; 0 where nothing is known."""
        return self._summed.output_tokens or 0

    @property
    def tokens(self) -> int:
        """The tokens that models read and wrote."""
        return self.input_tokens + self.output_tokens

    @property
    def cost(self) -> float:
        """What the model calls cost in USD; 0 where no price is known."""
        return self._summed.cost or 0

    @property
    def unpriced_calls(self) -> list[Span]:
        """The model calls that succeeded and whose cost is not known, so that the sum is less than the truth."""
        return [span for span in self.model_calls if span.cost is None and span.status != "error"]

    @property
    def seconds(self) -> float:
        """From the first start to the last end."""
        spans = self.spans
        if not spans:
            return 0.0
        return (max(span.end_ns or span.start_ns for span in spans) - spans[0].start_ns) / 1e9

    @property
    def errors(self) -> list[str]:
        """What failed, one line each: spans whose status is an error, and log lines of level ERROR and above."""
        failed = [f"{span.name}: {_error(span)}" for span in self.spans if span.status == "error"]
        return failed + [f"log: {line.body}" for line in self.logs if is_error(line)]

    @property
    def unfinished(self) -> list[str]:
        """The names of spans that had not ended as their process left."""
        return [span.name for span in self.spans if span.unfinished]

    @property
    def shape(self) -> str:
        """The tree of the spans' names, one a line, those of a parent below it and indented by two spaces."""
        spans = self.spans
        ids = {span.span_id for span in spans}
        below: dict[str | None, list[Span]] = {}
        for span in spans:
            below.setdefault(span.parent_id if span.parent_id in ids else None, []).append(span)
        lines: list[str] = []
        # Not by recursion: a run may be deeper than Python allows.
        waiting = [(span, 0) for span in reversed(below.get(None, []))]
        while waiting:
            span, depth = waiting.pop()
            lines.append("  " * depth + span.name)
            waiting += [(child, depth + 1) for child in reversed(below.get(span.span_id, []))]
        return "\n".join(lines)

    def named(self, name: str) -> list[Span]:
        """Return the spans of that name."""
        return [span for span in self.spans if span.name == name]

    def ran_in_order(self, *tools: str) -> bool:
        """Tell whether these tools were run in this order, whatever others were run between them."""
        left = iter(self.tools)
        return all(tool in left for tool in tools)

    @property
    def _summed(self) -> Usage:
        """What the whole run used, as its trace's summary has it."""
        spans = self.spans
        whole = summary("", spans, ()) if spans else None
        if whole is None:
            return Usage("", 0, 0, None, None, None)
        return Usage("", 0, 0, whole.input_tokens, whole.output_tokens, whole.cost)


def _error(span: Span) -> str:
    kind = span.attributes.get(semconv.ERROR_TYPE)
    return ": ".join(str(part) for part in (kind, span.status_text) if part) or "error"
