"""What the tests ask of the backends; every question waits for its answer."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.e2e.backends import http, records, waiting


@dataclass(frozen=True)
class Jaeger:
    url: str

    def trace(self, trace_id: str, spans: int = 1, seconds: float = 30.0) -> list[records.Span]:
        """Return the trace as API v3 gives it, once it has that many spans."""

        def probe() -> list[records.Span] | None:
            # Not raw, Jaeger adds warnings to the spans of a trace that is not complete yet, and memory keeps them.
            found = self._spans(f"/api/v3/traces/{trace_id}", raw_traces="true")
            return found if len(found) >= spans else None

        return waiting.until(probe, f"trace {trace_id} with {spans} spans in Jaeger", seconds)

    def find(self, service: str, seconds: float = 30.0) -> list[records.Span]:
        """Return the spans of the service's traces of the last hour."""

        def probe() -> list[records.Span]:
            now = datetime.now(tz=timezone.utc)
            query = {
                "query.service_name": service,
                "query.start_time_min": (now - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
                "query.start_time_max": (now + timedelta(minutes=1)).isoformat().replace("+00:00", "Z"),
                "query.num_traces": "100",
                "query.raw_traces": "true",
            }
            return self._spans("/api/v3/traces", **query)

        return waiting.until(probe, f"a trace of {service} in Jaeger", seconds)

    def calls(self) -> set[tuple[str, str]]:
        """Return the edges of the graph of services, from the traces of the last hour."""
        answer = http.get(f"{self.url}/api/dependencies", endTs=str(int(time.time() * 1000)), lookback="3600000")
        return {(edge["parent"], edge["child"]) for edge in answer["data"]} if answer else set()

    def services(self) -> list[str]:
        answer = http.get(f"{self.url}/api/v3/services")
        return sorted(answer["services"]) if answer else []

    def _spans(self, path: str, **query: str) -> list[records.Span]:
        answer = http.get(f"{self.url}{path}", **query)
        return records.spans(answer["result"]) if answer else []


@dataclass(frozen=True)
class Sample:
    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    url: str

    def query(self, expression: str, seconds: float = 30.0) -> list[Sample]:
        """Return the instant vector, once it is not empty."""
        return waiting.until(lambda: self._query(expression), f"an answer of Prometheus to {expression}", seconds)

    def _query(self, expression: str) -> list[Sample]:
        answer = http.get(f"{self.url}/api/v1/query", query=expression, time=str(time.time()))
        return [Sample(item["metric"], float(item["value"][1])) for item in answer["data"]["result"]] if answer else []


@dataclass(frozen=True)
class Collector:
    otlp_http: str
    otlp_grpc: str
    self_metrics: str
    log_file: Path

    def logs(self, trace_id: str = "", at_least: int = 1, seconds: float = 30.0) -> list[records.Log]:
        """Return what the log file has, of one trace where given, once there are that many."""

        def probe() -> list[records.Log] | None:
            found = [log for log in self._logs() if not trace_id or log.trace_id == trace_id]
            return found if len(found) >= at_least else None

        return waiting.until(probe, f"{at_least} log records {trace_id} in the collector's file", seconds)

    def figure(self, name: str) -> float:
        """Return the sum of one of the Collector's own metrics over all its labels; 0 where it has none yet."""
        lines = http.text(self.self_metrics).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def _logs(self) -> list[records.Log]:
        if not self.log_file.exists():
            return []
        # The last line may be half written.
        lines = self.log_file.read_text().split("\n")[:-1]
        return [log for line in lines for log in records.logs(json.loads(line))]
