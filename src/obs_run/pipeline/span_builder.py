"""Spans in the SDK's form, completed on the export thread: resource, attributes, content as JSON, cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind

from obs_run.base.json_text import to_json
from obs_run.core import semconv
from obs_run.pipeline import content_limits, redact_items, vector_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.content_limits import Limits
    from obs_run.pipeline.cost import Bill
    from obs_run.pipeline.rebuilt_span import SpanDraft
    from obs_run.pipeline.redact import Redaction


_PLAIN = frozenset([str, int, float, bool])
_LISTS = frozenset([list, tuple])
_LARGE = 1024 * 1024
_SERVICE_NAME = "service.name"
_MOST_SERVICES = 256
_resources: dict[Any, tuple[Resource, Resource]] = {}
"""By the name of a service the resource that it was made of, and the one of that name."""
_ALSO_NAMED = (
    (semconv.USAGE_CACHE_CREATION_TOKENS, semconv.USAGE_CACHE_WRITE_TOKENS),
    (semconv.USAGE_COST, semconv.OBS_COST_TOTAL),
)


def complete_span(
    draft: SpanDraft,
    operation: OperationRecord | None,
    resource: Resource,
    cost: Bill | None,
    content_values: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Give a span what it is exported with: this process's resource, its operation, its content and its cost.

    ``content_values`` is the operation's content as ``limit_content`` returns it; it is returned where it was taken.
    """
    fields = draft.fields
    original: Any = fields["attributes"] or {}
    if operation is not None:
        # The SDK's mapping answers a copy at once, and ** key by key.
        own = original.copy() if hasattr(original, "copy") else original
        attributes = {**own, **_clean(operation.attributes), **as_json(content_values), **cost_attributes(cost)}
        attributes.update(_names_of_viewers(attributes, is_client=fields["kind"] is SpanKind.CLIENT))
        fields.update({"attributes": attributes, "resource": _joined(fields["resource"], resource)})
        return content_values
    search = vector_sql.search(original)
    if search is not None:
        fields.update({"name": search.span_name(), "attributes": {**search.attributes(), **original}})
    joined = fields["resource"] = _joined(fields["resource"], resource)
    service = original.get(_SERVICE_NAME)
    if service is not None:
        fields["resource"] = _of_service(joined, service)
        fields["attributes"] = {
            name: value for name, value in (fields["attributes"] or {}).items() if name != _SERVICE_NAME
        }
    return content_values


def _of_service(resource: Resource, service: Any) -> Resource:
    """Return the resource under the name of the service that a span says it is of, where viewers look for it."""
    if resource.attributes.get(_SERVICE_NAME) == service:
        return resource
    known = _resources.get(service)
    if known is None or known[0] is not resource:
        if len(_resources) >= _MOST_SERVICES:
            _resources.clear()
        attributes = BoundedAttributes(attributes={**resource.attributes, _SERVICE_NAME: service})
        known = _resources[service] = resource, Resource(attributes, resource.schema_url)
    return known[1]


def _names_of_viewers(attributes: Mapping[str, Any], *, is_client: bool) -> dict[str, Any]:
    """Return what viewers of traces know by other names than ours."""
    more = {}
    for name, ours in _ALSO_NAMED:
        if ours in attributes:
            more[name] = attributes[ours]
    if is_client and semconv.PEER_SERVICE not in attributes:
        # Models and stores make no spans of their own; graphs of services take them for services by this name.
        peer = attributes.get(semconv.DB_SYSTEM_NAME) or attributes.get(semconv.PROVIDER_NAME)
        if peer is not None:
            more[semconv.PEER_SERVICE] = peer
    return more


def _clean(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes as a span keeps them: the SDK makes tuples of lists, and refuses what has no form in OTLP."""
    odd = {name: value for name, value in attributes.items() if type(value) not in _PLAIN}
    if not odd:
        return attributes
    clean = attributes.copy()
    for name, value in odd.items():
        if _is_uniform(value):
            clean[name] = tuple(value)
            continue
        del clean[name]
        # Its own judgement and warning, which take long.
        clean.update(BoundedAttributes(attributes={name: value}))
    return clean


def _is_uniform(value: Any) -> bool:
    """Whether a value is a list of texts, or of numbers of one kind."""
    if type(value) not in _LISTS:
        return False
    kinds = {type(item) for item in value}
    return len(kinds) == 1 and kinds <= _PLAIN


def _joined(own: Resource, ours: Resource) -> Resource:
    """Return our resource, with what the agent says of itself on a provider of its own."""
    if own is ours or own.attributes.get("telemetry.distro.name") == "obs-run":
        # The second is the parent's, on spans of a forked child.
        return ours
    if str(own.attributes.get("service.name", "")).startswith("unknown_service"):
        return own.merge(ours)
    return ours.merge(own)


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return content as attributes of a span: JSON texts, which is what trace viewers read."""
    return {name: value if isinstance(value, (str, bool)) else to_json(value) for name, value in values.items()}


def limit_content(operation: OperationRecord, redaction: Redaction | None) -> dict[str, Any]:
    """Return the operation's content within the limits, as objects, which is what events carry.

    What cannot be scrubbed is left out, and marked.
    """
    # To look whether all of it may stay as it is takes its JSON, which of large content is cut first.
    is_small = operation.content_size < _LARGE
    if redaction is None:
        limits = content_limits.read_limits(is_own=is_small)
        return {name: content_limits.limited(value, limits) for name, value in operation.content.items()}
    limits = redaction.own_limits if is_small else redaction.limits
    limited: dict[str, Any] = {}
    for name, value in operation.content.items():
        limited.update(_scrubbed(name, value, redaction, limits))
    return limited


def _scrubbed(name: str, value: Any, redaction: Redaction, limits: Limits) -> dict[str, Any]:
    try:
        return {name: redaction.content(name, value, limits)}
    except Exception as error:  # noqa: BLE001 (whatever it was, the content must not leave as it is)
        redact_items.say_withheld("content", error)
        return {semconv.OBS_PRIVACY_WITHHELD: True}


def cost_attributes(cost: Bill | None) -> dict[str, Any]:
    """Return what the call cost, in USD; nothing where model or usage are unknown."""
    if cost is None:
        return {}
    attributes = {
        semconv.OBS_COST_INPUT: cost.input,
        semconv.OBS_COST_OUTPUT: cost.output,
        semconv.OBS_COST_TOTAL: cost.total,
    }
    known = {name: float(amount) for name, amount in attributes.items() if amount is not None}
    return {**known, semconv.OBS_COST_PRICE_TABLE: cost.source}
