"""The paths of Jaeger's API: version 3, and the older ones that its interface and Grafana's Jaeger source ask for."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from obs_run.telemetry.otlp_json import trace_json as otlp_json
from obs_run.view.jaeger import finding, parameters, summaries, traces_json
from obs_run.view.jaeger.adjusting import adjusted
from obs_run.view.jaeger.parameters import ParameterError
from obs_run.view.responses import RecordedJSON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from obs_run.view.source import Recorded, Source

_DAY_NS = 86_400 * 10**9
_TWO_DAYS_NS = 2 * _DAY_NS
_OLDER_LIMIT = 100
_FOUND_ERROR = "trace not found"


def routes(source: Source) -> list[Route]:
    """Return the routes."""
    jaeger = _Jaeger(source)
    paths: dict[str, Callable[[Request], Response]] = {
        "/api/v3/services": jaeger.services,
        "/api/v3/operations": jaeger.operations,
        "/api/v3/traces": jaeger.traces,
        "/api/v3/traces/{trace_id}": jaeger.trace,
        "/api/v3/trace-summaries": jaeger.trace_summaries,
        "/api/services": jaeger.older_services,
        "/api/services/{service:path}/operations": jaeger.older_operations,
        "/api/operations": jaeger.older_operations_with_kinds,
        "/api/traces": jaeger.older_traces,
        "/api/traces/{trace_id}": jaeger.older_trace,
        "/api/dependencies": jaeger.dependencies,
    }
    return [Route(path, endpoint) for path, endpoint in paths.items()]


class _Jaeger:
    """One method a path."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def services(self, request: Request) -> Response:
        del request
        with self._source.open() as reader:
            return RecordedJSON({"services": finding.services(reader)})

    def operations(self, request: Request) -> Response:
        query = request.query_params
        kind = parameters.named(query, "spanKind", "span_kind")[1]
        with self._source.open() as reader:
            found = finding.operations(self._source, reader, query.get("service", ""))
        wanted = [(name, of) for name, of in found if not kind or of == kind]
        return RecordedJSON({"operations": [{"name": name, "spanKind": of} for name, of in wanted]})

    def traces(self, request: Request) -> Response:
        try:
            query, raw = _query(request.query_params)
        except ParameterError as error:
            return _refused(400, str(error))
        with self._source.open() as reader:
            found = list(finding.find(self._source, reader, query))
        return _traces_data(found, raw=raw)

    def trace(self, request: Request) -> Response:
        try:
            trace_id = parameters.trace_id(request.path_params["trace_id"])
            raw = parameters.boolean(*parameters.named(request.query_params, "rawTraces", "raw_traces"))
        except ParameterError as error:
            return _refused(400, str(error))
        with self._source.open() as reader:
            found = finding.one(self._source, reader, trace_id)
        return _traces_data([] if found is None else [found], raw=raw)

    def trace_summaries(self, request: Request) -> Response:
        try:
            query, _ = _query(request.query_params)
        except ParameterError as error:
            return _refused(400, str(error))
        with self._source.open() as reader:
            found = [summaries.summary_json(one.spans) for one in finding.find(self._source, reader, query)]
        return RecordedJSON({"summaries": found} if found else {})

    def older_services(self, request: Request) -> Response:
        del request
        with self._source.open() as reader:
            found = finding.services(reader)
        return _older(traces_json.answer(found or None, counted=True))

    def older_operations(self, request: Request) -> Response:
        with self._source.open() as reader:
            found = finding.operations(self._source, reader, request.path_params["service"])
        names = sorted({name for name, _ in found})
        return _older(traces_json.answer(names or None, counted=True))

    def older_operations_with_kinds(self, request: Request) -> Response:
        service = request.query_params.get("service")
        if not service:
            return _older_refused(400, "parameter 'service' is required")
        kind = request.query_params.get("spanKind", "")
        with self._source.open() as reader:
            found = finding.operations(self._source, reader, service)
        wanted = [{"name": name, "spanKind": of} for name, of in found if not kind or of == kind]
        return _older(traces_json.answer(wanted, counted=True))

    def older_traces(self, request: Request) -> Response:
        try:
            query, raw = _older_query(request)
            ids = [parameters.trace_id(text) for text in request.query_params.getlist("traceID")]
        except ParameterError as error:
            return _older_refused(400, str(error))
        if not ids and not query.service:
            return _older_refused(400, "parameter 'service' is required")
        with self._source.open() as reader:
            if ids:
                by_id = {each: finding.one(self._source, reader, each) for each in ids}
                found = [one for one in by_id.values() if one is not None]
                errors = [
                    {"msg": _FOUND_ERROR, "traceID": traces_json.short_id(each)}
                    for each, one in by_id.items()
                    if one is None
                ]
            else:
                found, errors = list(finding.find(self._source, reader, query)), []
        data = [traces_json.trace_json(one, raw=raw) for one in found]
        return _older(traces_json.answer(data, errors or None), request)

    def older_trace(self, request: Request) -> Response:
        try:
            trace_id = parameters.trace_id(request.path_params["trace_id"])
            raw = parameters.boolean("raw", request.query_params.get("raw", ""))
        except ParameterError as error:
            return _older_refused(400, str(error))
        with self._source.open() as reader:
            found = finding.one(self._source, reader, trace_id)
        if found is None:
            return _older_refused(404, _FOUND_ERROR)
        return _older(traces_json.answer([traces_json.trace_json(found, raw=raw)]), request)

    def dependencies(self, request: Request) -> Response:
        query = request.query_params
        try:
            end_ns = parameters.whole("endTs", query["endTs"]) * 10**6 if query.get("endTs") else time.time_ns()
            lookback = parameters.whole("lookback", query["lookback"]) * 10**6 if query.get("lookback") else _DAY_NS
        except ParameterError as error:
            return _older_refused(400, str(error))
        service = query.get("service")
        with self._source.open() as reader:
            found = finding.calls(self._source, reader, end_ns, lookback)
        links = [
            {"parent": parent, "child": child, "callCount": count}
            for (parent, child), count in found.items()
            if not service or service in (parent, child)
        ]
        return _older(traces_json.answer(links))


def _query(given: Mapping[str, str]) -> tuple[finding.Query, bool]:
    """Return what version 3 is asked for, and whether raw traces are."""

    def either(name: str, older: str) -> tuple[str, str]:
        return parameters.named(given, f"query.{name}", f"query.{older}")

    earliest, latest = either("startTimeMin", "start_time_min"), either("startTimeMax", "start_time_max")
    if not earliest[1] or not latest[1]:
        raise ParameterError("query.startTimeMin and query.startTimeMax are required")
    name, limit = parameters.named(given, "query.searchDepth", "query.search_depth", "query.num_traces")
    query = finding.Query(
        service=either("serviceName", "service_name")[1],
        operation=either("operationName", "operation_name")[1],
        attributes=_attributes("query.attributes", given.get("query.attributes", "")),
        start_min_ns=parameters.time_ns(*earliest),
        start_max_ns=parameters.time_ns(*latest),
        duration_min_ns=parameters.duration_ns(*either("durationMin", "duration_min")),
        duration_max_ns=parameters.duration_ns(*either("durationMax", "duration_max")),
        limit=parameters.whole(name, limit) if limit else finding.Query().limit,
    )
    return query, parameters.boolean(*either("rawTraces", "raw_traces"))


def _older_query(request: Request) -> tuple[finding.Query, bool]:
    given = request.query_params
    now = time.time_ns()
    attributes = [*map(_key_and_value, given.getlist("tag"))]
    attributes += [pair for text in given.getlist("tags") for pair in _attributes("tags", text)]
    query = finding.Query(
        service=given.get("service", ""),
        operation=given.get("operation", ""),
        attributes=tuple(attributes),
        start_min_ns=parameters.whole("start", given["start"]) * 1000 if given.get("start") else now - _TWO_DAYS_NS,
        start_max_ns=parameters.whole("end", given["end"]) * 1000 if given.get("end") else now,
        duration_min_ns=parameters.duration_ns("minDuration", given.get("minDuration", "")),
        duration_max_ns=parameters.duration_ns("maxDuration", given.get("maxDuration", "")),
        limit=parameters.whole("limit", given["limit"]) if given.get("limit") else _OLDER_LIMIT,
    )
    if 0 < query.duration_max_ns < query.duration_min_ns:
        raise ParameterError("'maxDuration' should be greater than 'minDuration'")
    return query, parameters.boolean("raw", given.get("raw", ""))


def _key_and_value(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise ParameterError(f"malformed 'tag' parameter, expecting key:value, received: {text}")
    return key, value


def _attributes(name: str, text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ParameterError(f"malformed parameter {name}: cannot unmarshal JSON: an object of texts is expected")
    return tuple(found.items())


def _traces_data(found: list[Recorded], *, raw: bool) -> Response:
    if not found:
        return _refused(404, "No traces found")
    groups: list[Any] = []
    for one in found:
        groups += otlp_json(one.spans if raw else adjusted(one.spans), ())["resourceSpans"]
    return RecordedJSON({"result": {"resourceSpans": groups}})


def _refused(status: int, message: str) -> Response:
    return RecordedJSON({"error": {"httpCode": status, "message": message}}, status)


def _older_refused(status: int, message: str) -> Response:
    return RecordedJSON(traces_json.answer(None, [{"code": status, "msg": message}]), status)


def _older(content: dict[str, Any], request: Request | None = None) -> Response:
    pretty = request.query_params.get("prettyPrint", "false") if request else "false"
    if pretty in ("", "false"):
        return RecordedJSON(content)
    return Response(json.dumps(content, indent=4), media_type="application/json")
