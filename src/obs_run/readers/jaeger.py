"""A Jaeger, by version 3 of its HTTP API: traces alone, for it holds no logs and no metrics."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from obs_run.base.masking import masked_value
from obs_run.telemetry.held_reader import HeldReader
from obs_run.telemetry.otlp_records import Records
from obs_run.telemetry.reader import ReadError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from obs_run.telemetry.reader import GroupedBy, LogSearch, PointSearch, Search
    from obs_run.telemetry.records import LogLine, Point, Span, Trace, Usage

_SECONDS = 30
_LOOKBACK_NS = 7 * 86_400 * 10**9
"""How far back is looked where nobody says: Jaeger demands a beginning."""
_MOST_TRACES = 1500
"""Jaeger's own largest number of traces in an answer."""
_WIDENED = 10
"""What is searched for in ways that Jaeger has not is looked for in so many times as many traces."""
_ID_DIGITS = 32
_NOT_FOUND = 404
_STORES_THAT_NEED_A_SERVICE = 400


class JaegerReader:
    """Asks the Jaeger at ``url``."""

    signals = frozenset({"traces"})

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._headers = {"Accept": "application/json"}
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        base = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        # What is copied from a browser is a page of its interface.
        path = base.path.rstrip("/")
        for page in ("/search", "/trace", "/api/v3", "/api"):
            path = path.partition(f"{page}/")[0].removesuffix(page)
        self._url = base._replace(path=path).geturl()
        self.place = f"the Jaeger at {masked_value(self._url)}"
        self.damaged = 0
        self._read: dict[str, HeldReader] = {}

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Forget what was read."""
        self.close()

    def close(self) -> None:
        """Forget what was read."""
        self._read.clear()

    def services(self) -> list[str]:
        """Return the services that it knows."""
        answer = self._get("services") or {}
        return sorted(str(name) for name in answer.get("services") or ())

    def traces(self, limit: int = 20, **search: Unpack[Search]) -> list[Trace]:
        """Return the newest traces first."""
        held = self._search(limit, search)
        # Jaeger's times are those of spans, and its attributes anything's.
        return held.traces(limit, **search)

    def newest(self) -> Trace | None:
        """Return the trace that began last."""
        return next(iter(self.traces(1)), None)

    def find(self, prefix: str) -> list[Trace]:
        """Return the traces whose id begins with ``prefix``, at most ten; a part of an id among the newest only."""
        if len(prefix) == _ID_DIGITS:
            return self._trace(prefix).find(prefix)
        return self._search(_MOST_TRACES, {}).find(prefix)

    def spans(self, trace_id: str) -> list[Span]:
        """Return the spans of the trace in the order in which they began."""
        return self._trace(trace_id).spans(trace_id)

    def logs(self, trace_id: str) -> list[LogLine]:  # noqa: ARG002 (as every reader)
        """Return none: Jaeger holds no logs."""
        return []

    def log_lines(self, limit: int = 1000, **search: Unpack[LogSearch]) -> list[LogLine]:  # noqa: ARG002 (as above)
        """Return none: Jaeger holds no logs."""
        return []

    def points(self, **search: Unpack[PointSearch]) -> list[Point]:  # noqa: ARG002 (as above)
        """Return none: Jaeger holds no metrics."""
        return []

    def usage(self, by: GroupedBy = "model", **search: Unpack[Search]) -> list[Usage]:
        """Return what the model calls of the traces that are searched for used, at most so many as Jaeger gives."""
        return self._search(_MOST_TRACES, search).usage(by, **search)

    def _trace(self, trace_id: str) -> HeldReader:
        if trace_id not in self._read:
            self._read[trace_id] = self._held(self._get(f"traces/{quote(trace_id)}", raw_traces="true"))
        return self._read[trace_id]

    def _search(self, limit: int, search: Search) -> HeldReader:
        service = search.get("service")
        query = _query(limit, search)
        try:
            return self._held(self._get("traces", **query, **({"query.service_name": service} if service else {})))
        except _RefusedError as refusal:
            if service or refusal.status < _STORES_THAT_NEED_A_SERVICE:
                raise
        # Some of its stores search by service only.
        found = Records()
        for name in self.services():
            self._add(found, self._get("traces", **query, **{"query.service_name": name}))
        return HeldReader(found, self.place)

    def _held(self, answer: Any) -> HeldReader:
        found = Records()
        self._add(found, answer)
        return HeldReader(found, self.place)

    def _add(self, found: Records, answer: Any) -> None:
        if answer is None:
            return
        try:
            found.add(answer)
        except ValueError:
            raise ReadError(f"{self.place} answers something else than traces; is it Jaeger's query port?") from None
        self.damaged += found.damaged
        found.damaged = 0

    def _get(self, path: str, **query: str) -> Any:
        """Return an answer, None where there is nothing of that name."""
        url = f"{self._url}/api/v3/{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            request = urllib.request.Request(url, headers=self._headers)  # noqa: S310 (the user names it)
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                body = error.read()
                if error.code == _NOT_FOUND and b'"error"' in body:
                    return None
                raise _RefusedError(self.place, error.code, body) from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            raise ReadError(f"{self.place} does not answer: {getattr(reason, 'strerror', None) or reason}") from None
        except ValueError:
            raise ReadError(f"{self.place} answers something else than JSON; is it Jaeger's query port?") from None


class _RefusedError(ReadError):
    """Jaeger answered with a status that is an error."""

    def __init__(self, place: str, status: int, body: bytes) -> None:
        self.status = status
        try:
            text = json.loads(body)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = body.decode("utf-8", "replace")
        super().__init__(f"{place} refuses: status {status} {' '.join(str(text).split())[:200]}".rstrip())


def _query(limit: int, search: Search) -> dict[str, str]:
    """Return as much of a search as Jaeger can be asked; it gives the newest traces that began in a time."""
    now = time.time_ns()
    since, until = search.get("since_ns"), search.get("until_ns")
    asked = {
        name for name, value in search.items() if value and name not in ("service", "without_spans", "without_usage")
    }
    is_asked_alone = asked <= {"since_ns", "until_ns"}
    number = limit if is_asked_alone else limit * _WIDENED
    return {
        "query.start_time_min": _moment(now - _LOOKBACK_NS if since is None else since),
        # A clock that is ahead of ours by a minute is no reason to miss its spans.
        "query.start_time_max": _moment(now + 60 * 10**9 if until is None else until),
        "query.num_traces": str(min(number, _MOST_TRACES)),
        "query.raw_traces": "true",
    }


def _moment(time_ns: int) -> str:
    whole, rest = divmod(time_ns, 10**9)
    return f"{datetime.fromtimestamp(whole, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
