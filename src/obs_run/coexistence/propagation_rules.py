"""What it means for the headers of a request which hosts the trace context may go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.context.allowed_hosts import is_allowed

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Headers = MutableMapping[str, Any]

_TRACE_ID = slice(3, 35)


def restrict_headers(host: str | None, headers: Headers) -> None:
    """Take the trace context out of ``headers`` if ``host`` must not have it; add it where a hidden span did not."""
    from obs_run.coexistence import http_spans

    current = _current()
    if not is_allowed(host):
        for name in [name for name in headers if _is_current(name, headers[name], current)]:
            del headers[name]
    elif http_spans.hidden():
        present = {_text(name).lower() for name in headers}
        for name, value in current.items():
            if name.lower() not in present:
                headers[name] = value


def _current() -> dict[str, str]:
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


def _is_current(name: Any, value: Any, current: dict[str, str]) -> bool:
    """Whether a header carries the trace that is going on; what the agent wrote of another trace is its own."""
    found = next((each for each in current if each.lower() == _text(name).lower()), None)
    if found is None:
        return False
    text, now = _text(value), current[found]
    return text == now or (found == "traceparent" and text[_TRACE_ID] == now[_TRACE_ID])


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
