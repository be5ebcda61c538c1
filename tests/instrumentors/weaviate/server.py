"""A Weaviate of two cities on loopback: gRPC by the client's own protocol files, and the little REST that it needs."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, NamedTuple

CITIES = (
    ("00000000-0000-4000-8000-00000000000a", 0.5, "Lisbon is a capital."),
    ("00000000-0000-4000-8000-00000000000b", 0.25, "Porto has port."),
)


class Ports(NamedTuple):
    """Where the server listens."""

    http: int
    grpc: int


class _Rest(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        known = {"/v1/meta": {"version": "1.33.0"}, "/v1/objects": json.loads(body) if body else None}
        path = self.path.partition("?")[0]
        told = known.get(path)
        status = 200 if told else 204 if path.startswith("/v1/objects/") else 404
        payload = json.dumps(told).encode() if told else b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = do_HEAD = _answer  # noqa: N815 (the base class names them)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
        pass


class _Service:
    """The methods of Weaviate's gRPC service; names of collections ask for failures."""

    def __init__(self) -> None:
        proto = import_module("weaviate.proto.v1")
        self.search_get, self.batch, self.batch_delete = proto.search_get_pb2, proto.batch_pb2, proto.batch_delete_pb2
        self.properties = proto.properties_pb2

    def Search(self, request: Any, context: Any) -> Any:  # noqa: N802 (the service names it)
        if request.collection == "Broken":
            context.abort(import_module("grpc").StatusCode.INVALID_ARGUMENT, "no such collection")
        if request.collection == "Slow":
            time.sleep(1)
        found = [self._result(*city) for city in CITIES[: request.limit or len(CITIES)]]
        return self.search_get.SearchReply(results=found)

    def _result(self, identity: str, distance: float, text: str) -> Any:
        value = self.properties.Value(text_value=text)
        return self.search_get.SearchResult(
            metadata=self.search_get.MetadataResult(id=identity, distance=distance, distance_present=True),
            properties=self.search_get.PropertiesResult(
                non_ref_props=self.properties.Properties(fields={"text": value}), target_collection="Cities"
            ),
        )

    def BatchObjects(self, request: Any, context: Any) -> Any:  # noqa: N802 (the service names it)
        assert request is not None
        assert context is not None
        return self.batch.BatchObjectsReply()

    def BatchDelete(self, request: Any, context: Any) -> Any:  # noqa: N802 (the service names it)
        assert request is not None
        assert context is not None
        return self.batch_delete.BatchDeleteReply(successful=2, matches=2)


@cache
def ports() -> Ports:
    """Return where the server listens, which is started first; its threads end with this process."""
    grpc, proto = import_module("grpc"), import_module("weaviate.proto.v1")
    server = grpc.server(ThreadPoolExecutor(4))
    service = _Service()
    names = ("Search", "BatchObjects", "BatchDelete")
    unasked = dict.fromkeys(("Aggregate", "TenantsGet", "BatchReferences", "BatchStream", "BatchSend"))
    known = type("Service", (), {**unasked, **{name: staticmethod(getattr(service, name)) for name in names}})
    proto.weaviate_pb2_grpc.add_WeaviateServicer_to_server(known, server)
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # Without this the server is collected, and stops.
    _running.append(server)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    return Ports(int(http.server_address[1]), number)


_running: list[Any] = []
