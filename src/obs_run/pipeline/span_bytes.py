"""Ordinary spans as OTLP protobuf, written by hand; the official encoder takes five times as long.

Source: opentelemetry-proto 1.9, ``trace.proto``, ``common.proto`` and ``resource.proto``. What is not ordinary (events,
links, a trace state, values of other kinds, texts that UTF-8 cannot say) is left to the official encoder.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_BYTE = tuple(bytes([value]) for value in range(128))
_INT64 = 2**63
_DOUBLE = struct.Struct("<d")
_TIMES = struct.Struct("<BQBQ")
_END = b"\x85\x01" + struct.pack("<I", 0x100)  # the flags: whether the parent is remote is known, and it is not
_END_REMOTE = b"\x85\x01" + struct.pack("<I", 0x300)
_MOST_CACHED = 4096
_LONGEST_CACHED = 64
_DEEPEST = 32
_cache: dict[tuple[str, str], bytes] = {}


class UnusualError(Exception):
    """The span is not ordinary."""


def request(spans: Sequence[ReadableSpan]) -> bytes:
    """Return the request that exports the spans; raises if one of them is not ordinary."""
    # Equal resources and scopes stand together; hashing one costs as much as a span.
    resources: OrderedDict[Resource, OrderedDict[InstrumentationScope | None, list[bytes]]] = OrderedDict()
    places: dict[tuple[int, int], list[bytes]] = {}
    for span in spans:
        resource, scope = span.resource, span.instrumentation_scope
        key = id(resource), id(scope)
        if key not in places:
            places[key] = resources.setdefault(resource, OrderedDict()).setdefault(scope, [])
        places[key].append(_field(b"\x12", _span(span)))
    return b"".join([_field(b"\x0a", _of_resource(resource, scopes)) for resource, scopes in resources.items()])


def _of_resource(resource: Resource, scopes: Mapping[InstrumentationScope | None, list[bytes]]) -> bytes:
    parts = [_field(b"\x0a", _attributes(b"\x0a", resource.attributes))]
    parts += [_field(b"\x12", _of_scope(scope, spans)) for scope, spans in scopes.items()]
    parts.append(_text(b"\x1a", resource.schema_url))
    return b"".join(parts)


def _of_scope(scope: InstrumentationScope | None, spans: list[bytes]) -> bytes:
    if scope is None:
        return b"\x0a\x00" + b"".join(spans)
    head = [_text(b"\x0a", scope.name), _text(b"\x12", scope.version), _attributes(b"\x1a", scope.attributes or {})]
    return b"".join([_field(b"\x0a", b"".join(head)), *spans, _text(b"\x1a", scope.schema_url)])


def _span(span: ReadableSpan) -> bytes:
    context, parent, start, end = span.context, span.parent, span.start_time, span.end_time
    if context is None or not start or not end or span.events or span.links or context.trace_state:
        raise UnusualError
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        raise UnusualError
    status = span.status
    outcome = _text(b"\x12", status.description)
    if status.status_code.value:
        outcome += b"\x18" + _BYTE[status.status_code.value]
    return b"".join(
        [
            b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big"),
            b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent else b"",
            _text(b"\x2a", span.name),
            b"\x30" + _BYTE[span.kind.value + 1],
            _TIMES.pack(0x39, start, 0x41, end),
            _attributes(b"\x4a", span.attributes or {}),
            _field(b"\x7a", outcome),
            _END_REMOTE if parent and parent.is_remote else _END,
        ]
    )


def _attributes(tag: bytes, attributes: Mapping[str, Any]) -> bytes:
    parts = []
    plain = attributes.copy() if hasattr(attributes, "copy") else attributes
    for key, value in plain.items():
        if type(value) is str and len(value) <= _LONGEST_CACHED:
            pair = _cache.get((key, value))
            if pair is None:
                if len(_cache) >= _MOST_CACHED:
                    _cache.clear()
                pair = _cache[key, value] = _pair(key, value)
        else:
            pair = _pair(key, value)
        parts.append(_field(tag, pair))
    return b"".join(parts)


def _pair(key: str, value: Any) -> bytes:
    return _text(b"\x0a", key) + _field(b"\x12", _value(value))


def _value(value: Any, depth: int = _DEEPEST) -> bytes:
    if isinstance(value, str):
        return _field(b"\x0a", value.encode())
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise UnusualError
        return b"\x18" + _varint(value % 2**64)
    if isinstance(value, float):
        return b"\x21" + _DOUBLE.pack(value)
    if isinstance(value, (list, tuple)) and depth:
        return _field(b"\x2a", b"".join([_field(b"\x0a", _value(item, depth - 1)) for item in value]))
    raise UnusualError


def _text(tag: bytes, text: str | None) -> bytes:
    """Return a field that is left out where it is empty."""
    return _field(tag, text.encode()) if text else b""


def _field(tag: bytes, content: bytes) -> bytes:
    size = len(content)
    return tag + (_BYTE[size] if size < 128 else _varint(size)) + content  # noqa: PLR2004 (7 bits)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:  # noqa: PLR2004 (7 bits)
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
